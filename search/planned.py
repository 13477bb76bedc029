"""How many trials a study has, phase by phase, and the seeds of each.

No seed is used twice: designs have those below 1000, the confirm phase those from there on, tuning 1,000,000, and the
check of short runs those from 2,000,000 on, the random search that a search is compared with 3,000,000.
"""

from __future__ import annotations

from typing import Any

from search.designs.base import FIRST_CONFIRM_SEED, AdaptiveDesign
from search.phases import FIRST_TUNE_SEED, RANDOM_SEED
from search.plan import Plan

MANY = 10**9
"""More arms than any search has."""


def confirm_seeds(plan: Plan) -> range:
    """Returns the seeds of a study's confirm phase, which no design uses."""
    spec = plan.study.spec
    fewest = 1 if spec.design.kind == "train" else 3
    return range(FIRST_CONFIRM_SEED, FIRST_CONFIRM_SEED + (spec.confirm.seeds or max(fewest, len(plan.seeds))))


def beside_seeds(plan: Plan) -> dict[str, list[int]]:
    """Returns the seeds of the phases beside exploring and confirming, of a study that has such."""
    found = {"tune": [FIRST_TUNE_SEED]} if plan.tuning else {}
    found |= {"random": [RANDOM_SEED]} if getattr(plan.study.spec.design, "compare", None) else {}
    return found | ({"fidelity": list(plan.fidelity.seeds)} if plan.fidelity else {})


def arms_at_most(plan: Plan) -> int:
    """Returns how many arms are explored, at most; a budget in MACs or hours sets no limit to them."""
    design = plan.study.spec.design
    if not isinstance(design, AdaptiveDesign):
        return len(plan.arms)
    seeds = len(design.first_seeds)
    if design.trials is not None:
        return design.trials // seeds
    assert design.budget is not None
    full = plan.baseline.configuration.train.epochs
    shortest = full if design.early_stopping is None else design.early_stopping.epochs(full)[0]
    return (design.budget.epochs or MANY) // (seeds * max(shortest, 1))


def explored_trials(plan: Plan, entries: list[dict[str, Any]]) -> int | None:
    """Returns how many trials a search has where that shows only on the way: all once it has ended, those so far until
    then, the planned ones at least; None where it was planned."""
    design = plan.study.spec.design
    if not isinstance(design, AdaptiveDesign) or (design.racing is None and design.budget is None):
        return None
    budget = {"trials": float(design.trials or 0)} if design.budget is None else design.budget.named
    begun = {entry["trial"] for entry in entries if entry["event"] == "started" and entry["phase"] == "explore"}
    last = next((entry for entry in reversed(entries) if entry["event"] == "explored"), None)
    if last is not None and last["budget"] == budget and last["trials"] >= len(begun):
        return int(last["trials"])
    return max(len(begun), design.trials or 0)


def planned_trials(plan: Plan) -> dict[str, int]:
    """Returns how many trials each phase has, at most, as far as can be told now; phases without any are left out.

    Arms whose own recipe is the best have no tuned arm beside them: that makes fewer.
    """
    spec, seeds = plan.study.spec, len(plan.seeds)
    explored = arms_at_most(plan)
    finalists = min(spec.confirm.finalists, explored - 1)
    planned = {"tune": 0, "explore": 0 if spec.design.kind == "train" else explored * seeds, "fidelity": 0}
    if isinstance(spec.design, AdaptiveDesign) and (spec.design.racing is not None or spec.design.budget is not None):
        planned["explore"] = spec.design.trials or 0  # in another currency it isn't known beforehand
    if plan.tuning:
        planned["tune"] = len(plan.tuning.trials())
        open_still = len(plan.tuning.candidates) - len(plan.tuning.kept)
        planned["explore"] += open_still * seeds
        most = explored + open_still
        finalists = min(spec.confirm.finalists, most - 1)
        finalists += finalists < most - 1  # the baseline with a recipe of its own
    if plan.fidelity:
        ranked = explored if plan.adaptive else sum(arm.tuned_of is None for arm in plan.arms.values())
        planned["fidelity"] = 2 * len(plan.fidelity.seeds) * min(plan.fidelity.spec.arms, ranked)
    if spec.confirm.best_under:
        finalists = min(finalists + len(spec.confirm.best_under.limits), explored - 1)
    planned["confirm"] = len(confirm_seeds(plan)) * (1 + finalists)
    return {phase: count for phase, count in planned.items() if count}
