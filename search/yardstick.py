"""What a search is held against: random search that spends as many training MACs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search.arms import Trial
from search.budget import epoch_macs, training_macs
from search.draw import draw
from search.phases import RANDOM_SEED
from search.proposed import GIVE_UP

if TYPE_CHECKING:
    from search.plan import Plan


def spent(plan: Plan, finished: Mapping[str, Mapping[str, Any]]) -> float:
    """Returns the MACs that all explore trials trained, those that were stopped or failed too."""
    explored = (entry for entry in finished.values() if entry["phase"] == "explore")
    return sum(training_macs(plan, entry["arm"], entry) for entry in explored)


def planned_random(entries: Sequence[Mapping[str, Any]]) -> int:
    """Returns how many trials the random search has, once the record tells that it is planned."""
    planned = [entry for entry in entries if entry["event"] == "planned" and entry["phase"] == "random"]
    return len(planned[-1]["arms"]) if planned else 0


def random_trials(plan: Plan, budget: float) -> list[Trial]:
    """Returns the trials of a random search: the baseline, as in the search itself, and arms drawn from the same space
    under the same constraints, each once, with one seed and to its full length, until a budget is spent.

    The last may go beyond it: random search has no less than what it is compared with.

    A larger budget keeps the first. The arms hang on the study's ``sampler_seed``, so that repeats draw others.

    Args:
        budget: In MACs of training.
    """
    seed = getattr(plan.study.spec.design, "sampler_seed", 0)
    generator = random.Random(f"compare/{seed}" if seed else "compare")
    seen, trials = set[str](), list[Trial]()
    arm, left, misses = plan.baseline, budget, 0
    while misses < GIVE_UP and left > 0:
        structure = arm.configuration.structure if arm.cost is not None else ""
        if arm.cost is None or arm.status == "rejected" or structure in seen:
            misses += 1
        else:
            left, misses = left - arm.configuration.train.epochs * epoch_macs(plan, arm), 0
            seen.add(structure)
            trials.append(Trial(plan.beside(arm), RANDOM_SEED, "random"))
        arm = plan.judge(draw(plan.space, generator))
    return trials
