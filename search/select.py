"""Choosing: finalists by validation in the explore phase, the winner by validation in the confirm phase.

The test split has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from search.arms import Arm
from search.plan import Plan

Finished = Mapping[str, Mapping[str, Any]]
"""The record's last entry of every finished trial, by the trial's name."""


def scores(plan: Plan, finished: Finished, phase: str, seeds: Iterable[int]) -> dict[str, float]:
    """Returns the mean validation accuracy of every arm all of whose seeds completed.

    An arm with a diverged, stopped or failed seed is not here: a mean over the seeds that went well would flatter it.
    """
    wanted = list(seeds)
    found: dict[str, float] = {}
    for arm in plan.arms:
        rows = [finished.get(f"{arm}-s{seed}") for seed in wanted]
        values = [row["val_accuracy"] for row in rows if row and row["status"] == "completed" and row["phase"] == phase]
        if len(values) == len(wanted):
            found[arm] = fmean(values)
    return found


def raced_scores(plan: Plan, finished: Finished) -> dict[str, float]:
    """Returns the mean validation accuracy of every explored arm over the seeds that it has, all of them completed.

    In a race an arm that has few was beaten, or there was nothing left to give it more.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in finished.values():
        if entry["phase"] == "explore" and entry["arm"] in plan.arms:
            found.setdefault(entry["arm"], []).append(entry)
    return {
        arm: fmean(entry["val_accuracy"] for entry in entries)
        for arm, entries in found.items()
        if all(entry["status"] == "completed" for entry in entries)
    }


def finalists(plan: Plan, scored: Mapping[str, float]) -> list[str]:
    """Returns the arms to take to the confirm phase beside the baseline, the best first.

    A search that trades accuracy off against a cost takes them from its front: the arms that no other beats in both.
    """
    candidates = [arm for arm in plan.arms.values() if arm.arm in scored and arm is not plan.baseline]
    costs = [name for name in getattr(plan.study.spec.design, "objectives", ()) if name != "val_accuracy"]
    if costs:
        candidates = [arm for arm in candidates if not any(_beats(other, arm, scored, costs) for other in candidates)]
    best_first = sorted(candidates, key=lambda arm: (-scored[arm.arm], _macs(arm), arm.arm))
    chosen = [arm.arm for arm in best_first[: plan.study.spec.confirm.finalists]]
    return [*chosen, *(arm for arm in _best_under(plan, scored) if arm not in chosen)]


def _best_under(plan: Plan, scored: Mapping[str, float]) -> list[str]:
    """Returns the arm with the best score under each limit of the study's cost bands; not the baseline."""
    bands, chosen = plan.study.spec.confirm.best_under, dict[str, None]()
    for limit in bands.limits if bands else ():
        assert bands is not None
        fitting = [plan.arms[arm] for arm in scored if plan.arms[arm].value(bands.cost) <= limit]
        fitting = [arm for arm in fitting if not arm.outside]
        best = min(fitting, key=lambda arm: (-scored[arm.arm], _macs(arm), arm.arm), default=plan.baseline)
        if best is not plan.baseline:
            chosen[best.arm] = None
    return list(chosen)


def confirmed_arms(plan: Plan, chosen: list[str]) -> list[str]:
    """Returns the arms of the confirm phase: the baseline and the finalists.

    If a finalist has a recipe of its own, so does a second baseline, to compare it with.
    """
    baselines = [plan.baseline.arm]
    if plan.tuning and any(plan.arms[arm].tuned_of for arm in chosen):
        baselines.append(plan.tuning.kept.get(plan.baseline.arm) or plan.baseline.arm)
    return list(dict.fromkeys([*baselines, *chosen]))


def winner(plan: Plan, scored: Mapping[str, float]) -> str | None:
    """Returns the confirmed arm with the best mean validation accuracy within the constraints (ties: the cheaper)."""
    candidates = [plan.arms[arm] for arm in scored if arm in plan.arms and not plan.arms[arm].outside]
    best = min(candidates, key=lambda arm: (-scored[arm.arm], _macs(arm), arm.arm), default=None)
    return None if best is None else best.arm


def _beats(other: Arm, arm: Arm, scored: Mapping[str, float], costs: list[str]) -> bool:
    theirs = (-scored[other.arm], *(other.value(cost) for cost in costs))
    ours = (-scored[arm.arm], *(arm.value(cost) for cost in costs))
    return theirs != ours and all(their <= our for their, our in zip(theirs, ours, strict=True))


def _macs(arm: Arm) -> int:
    assert arm.cost is not None
    return arm.cost.macs
