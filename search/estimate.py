"""How long a study will take, phase by phase: measured on three arms through the real training step, and scaled."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from search.arms import Arm
from search.budget import epoch_macs
from search.configuration import Configuration
from search.data.spec import DataSpec
from search.designs.base import AdaptiveDesign
from search.plan import Plan
from search.planned import planned_trials

if TYPE_CHECKING:
    from search.train.pace import Pace


@dataclass(frozen=True)
class Estimate:
    """Seconds of one worker.

    Attributes:
        paces: Of the arms that were measured, the cheapest first: MACs, pace, batch size.
        phases: By phase, ``test`` included.
        evaluation: The part of it that goes into measuring on validation and test.
        trial: Of an explore trial: the shortest, the mean, the longest.
    """

    paces: list[tuple[int, Pace, int]]
    phases: dict[str, float]
    evaluation: float
    trial: tuple[float, float, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.phases.values())


def estimate(plan: Plan, arms: list[Arm]) -> Estimate | None:
    """Estimates a study's time from a few real training steps of the cheapest, a middle and the costliest arm.

    Args:
        arms: Those that will be trained; of a search, arms like them.

    Returns:
        The estimate, or None if none of the three has a finite loss even for a few steps.
    """
    paces = _paces(plan, arms)
    if not paces:
        return None
    clock = _Clock(paces)
    explored = [sum(clock.trial(arm.configuration, macs(arm))) for arm in arms]
    phases: dict[str, tuple[float, float]] = {}
    for phase, planned in {**({"explore": 0} if plan.adaptive else {}), **planned_trials(plan)}.items():
        found = [_at_length(plan, phase, arm, clock) for arm in arms]
        one = fmean(map(sum, found)), fmean(parts[1] for parts in found)
        count = whole_trials(plan, arms, planned, one[0]) if phase == "explore" else planned
        phases[phase] = count * one[0], count * one[1]
    if getattr(plan.study.spec.design, "compare", None) == "random":
        phases["random"] = phases["explore"]
    if plan.tuning:  # every trial is known
        trials = [plan.find(trial.arm) for trial in plan.tuning.trials()]
        times = [clock.trial(made.configuration, made.cost.macs) for made in trials if made and made.cost]
        phases["tune"] = sum(map(sum, times)), sum(parts[1] for parts in times)
    confirm = planned_trials(plan).get("confirm", 0)
    tested = [clock.evaluation(macs(arm)) * split_sizes(arm.configuration.data)[2] for arm in arms]
    phases["test"] = confirm * fmean(tested), confirm * fmean(tested)
    return Estimate(
        paces,
        {phase: total for phase, (total, _) in phases.items()},
        sum(evaluation for _, evaluation in phases.values()),
        (min(explored), fmean(explored), max(explored)),
    )


def split_sizes(data: DataSpec) -> tuple[float, float, float]:
    """Returns about how many images there are to train on, to validate on and to test on, without opening one."""
    images = data.facts().images
    # A share of None is a folder's own split or the usual fifth, which is near enough for an estimate.
    shares = [getattr(data, f"{split}_fraction", 0.0) for split in ("validation", "test")]
    validation, test = (images * (0.2 if share is None else share) for share in shares)
    # An official test split, beside the images that splits are cut from, is taken to be a fifth of their number.
    return (images - validation - test) * data.train_fraction, validation, test or images / 5


def whole_trials(plan: Plan, arms: list[Arm], planned: int, seconds: float) -> float:
    """Returns how many trials of full length take as long as a study's explore phase.

    Args:
        arms: Those that will be trained, or arms like them.
        planned: How many trials are planned, where the budget is in trials.
        seconds: What one of full length takes.
    """
    design, full = plan.study.spec.design, plan.baseline.configuration.train.epochs
    if not isinstance(design, AdaptiveDesign):
        return planned
    if design.budget is None:
        share = 1.0 if design.early_stopping is None else design.early_stopping.share(full)
        racing = design.racing or 0.0
        return planned * ((1 - racing) * share + racing)
    each = {
        "epochs": full,
        "macs": full * fmean(epoch_macs(plan, arm) for arm in arms),
        "gpu_hours": seconds / 3600,
    }
    return design.budget.limit / max(each[design.budget.currency], 1e-9)


def macs(arm: Arm) -> int:
    """Returns an arm's MACs; it has a cost."""
    assert arm.cost is not None
    return arm.cost.macs


@dataclass(frozen=True)
class _Clock:
    """Interpolates between the arms that were measured, by MACs."""

    paces: list[tuple[int, Pace, int]]

    def trial(self, own: Configuration, cost: int) -> tuple[float, float]:
        """Returns the seconds that a trial trains, and those that it validates."""
        train, validation, _ = split_sizes(own.data)
        training = train * self._between(cost, [pace.training for _, pace, _ in self.paces])
        return own.train.epochs * training, own.train.epochs * validation * self.evaluation(cost)

    def evaluation(self, cost: int) -> float:
        """Returns the seconds an image when a network is only measured."""
        return self._between(cost, [pace.evaluation for _, pace, _ in self.paces])

    def _between(self, cost: int, values: list[float]) -> float:
        costs = [macs for macs, _, _ in self.paces]
        if cost <= costs[0] or len(costs) == 1:
            return values[0]
        upper = min(bisect(costs, cost), len(costs) - 1)
        low, high = costs[upper - 1], costs[upper]
        return values[upper - 1] + (values[upper] - values[upper - 1]) * min(1.0, (cost - low) / (high - low))


def _paces(plan: Plan, arms: list[Arm]) -> list[tuple[int, Pace, int]]:
    import torch

    from search.train.divergence import Diverged
    from search.train.pace import pace

    device = "cuda" if torch.cuda.is_available() else "cpu"
    ordered = sorted(arms, key=macs)
    found: dict[int, tuple[int, Pace, int]] = {}
    for arm in (ordered[0], ordered[len(ordered) // 2], ordered[-1]):
        own = arm.configuration
        if macs(arm) in found:
            continue
        try:
            measured = pace(own.network, own.train, own.input, plan.limits, device)
        except Diverged:  # the study will say so of its trials; what they take can't be told from them
            continue
        found[macs(arm)] = macs(arm), measured, own.train.batch_size
    return sorted(found.values(), key=lambda each: each[0])


def _at_length(plan: Plan, phase: str, arm: Arm, clock: _Clock) -> tuple[float, float]:
    """Returns what a trial of an arm takes in a phase, which may train for other numbers of epochs."""
    spec, own = plan.study.spec, arm.configuration
    train, validation = clock.trial(own, macs(arm))
    epochs = float(own.train.epochs)
    if phase == "confirm" and spec.confirm.epochs:
        epochs = spec.confirm.epochs
    elif phase == "fidelity" and spec.fidelity:
        epochs = fmean(spec.fidelity.epochs)
    share = epochs / own.train.epochs
    return train * share, validation * share
