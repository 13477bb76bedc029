"""Racing: more seeds for those arms that may be on the front, and none for those that can't (Maron and Moore 1997,
"The racing algorithm", Artificial Intelligence Review 11).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from search.nondominated import fronts

if TYPE_CHECKING:
    from search.course import Course
    from search.designs.base import AdaptiveDesign
    from search.plan import Plan

Z = 1.645
"""An arm is out of the race if another beats it by more than so many standard errors of the difference: what chance
alone does in one case of twenty."""

WEIGHT = 4.0
"""Degrees of freedom that the sampling error of the validation images counts for, as a first guess of the noise."""


@dataclass(frozen=True)
class Runner:
    """An arm in the race.

    Attributes:
        scores: Validation accuracies, a seed each; at least one.
        costs: What is to be small; nothing where accuracy is all that counts.
    """

    arm: str
    scores: Sequence[float]
    costs: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Of the scores."""
        return fmean(self.scores)


def next_replicate(plan: Plan, design: AdaptiveDesign, course: Course) -> tuple[str, int] | None:
    """Returns the arm of a search that gets one more seed, and that seed; None if none does, or none can be paid."""
    costs = [name for name in design.objective_names if name != "val_accuracy"]
    runners = [runner for arm in course.begun if (runner := _runner(plan, course, arm, costs)) is not None]
    images = max((entry.get("val_images") or 0 for entry in course.ended.values()), default=0)
    found = next_seed(contenders(runners, images), plan.seeds, course.begun)
    return found if found is not None and course.ledger.fits(course.whole_price(found[0])) else None


def _runner(plan: Plan, course: Course, arm: str, costs: Sequence[str]) -> Runner | None:
    """Returns an arm with its scores; None if it has none yet, or one of its trials did not complete."""
    rows = [course.ended[name] for seed in course.begun[arm] if (name := f"{arm}-s{seed}") in course.ended]
    if not rows or any(row["status"] != "completed" for row in rows):
        return None
    own = plan.arms[arm]
    return Runner(arm, [row["val_accuracy"] for row in rows], tuple(own.value(name) for name in costs))


def contenders(runners: Sequence[Runner], images: int) -> list[Runner]:
    """Returns the arms that may be on the front of accuracy and costs, by what is known of them so far.

    Each is held against the arms of the observed front that cost no more in anything.

    Args:
        images: How many validation images a score is of.
    """
    if not runners:
        return []
    front = [runners[place] for place in fronts([(-one.mean, *one.costs) for one in runners])[0]]
    noise = _noise(runners, images)
    return [one for one in runners if not any(_clearly_beats(other, one, noise) for other in front)]


def next_seed(runners: Sequence[Runner], seeds: Sequence[int], begun: Mapping[str, set[int]]) -> tuple[str, int] | None:
    """Returns the arm and the seed to run next: of the arms with the fewest seeds the one with the best mean.

    Args:
        runners: The contenders.
        seeds: All that an arm may have.
        begun: Those that each arm has, or that run.
    """
    open_still = [runner for runner in runners if len(begun[runner.arm]) < len(seeds)]
    if not open_still:
        return None
    chosen = min(open_still, key=lambda runner: (len(begun[runner.arm]), -runner.mean, runner.arm))
    return chosen.arm, next(seed for seed in seeds if seed not in begun[chosen.arm])


def _noise(runners: Sequence[Runner], images: int) -> float:
    """Returns the SD of a single score: pooled over arms with several seeds, and drawn to the sampling error of the
    images where those are few."""
    typical = sorted(runner.mean for runner in runners)[len(runners) // 2]
    squares, freedom = WEIGHT * typical * (1 - typical) / max(images, 1), WEIGHT
    for runner in runners:
        squares += sum((score - runner.mean) ** 2 for score in runner.scores)
        freedom += len(runner.scores) - 1
    return math.sqrt(squares / freedom)


def _clearly_beats(other: Runner, one: Runner, noise: float) -> bool:
    cheaper = all(their <= our for their, our in zip(other.costs, one.costs, strict=True))
    chance = Z * noise * math.sqrt(1 / len(other.scores) + 1 / len(one.scores))
    return cheaper and other.mean - one.mean > chance
