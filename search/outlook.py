"""What a session has before it: how many trials of each phase are planned, as far as is known now, and are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from search.confirm import confirm_trials, recorded_finalists
from search.plan import Plan
from search.planned import explored_trials, planned_trials
from search.record import Record
from search.select import Finished
from search.yardstick import planned_random


def planned_now(plan: Plan, record: Record, confirm_seeds: Sequence[int]) -> dict[str, int]:
    """Returns how many trials each phase has, as far as is known now."""
    planned = planned_trials(plan)
    if plan.adaptive and (explored := explored_trials(plan, record.entries)) is not None:
        planned["explore"] = explored
    if random_ones := planned_random(record.entries):
        planned["random"] = random_ones
    if record.last("finalists"):
        planned["confirm"] = len(confirm_trials(plan, recorded_finalists(plan, record), confirm_seeds))
    return planned


def left_now(plan: Plan, planned: dict[str, int], finished: Finished) -> dict[str, int]:
    """Returns how many planned trials have not ended, of each phase that has such."""
    done = Counter(entry["phase"] for entry in finished.values() if plan.find(entry["arm"]))
    return {phase: count - done[phase] for phase, count in planned.items() if count > done[phase]}


def rounds_to_confirm(plan: Plan, planned: dict[str, int]) -> float:
    """Returns the trials of the confirm phase, in units of those before it."""
    epochs = plan.study.spec.train.epochs
    return planned.get("confirm", 0) * (plan.study.spec.confirm.epochs or epochs) / epochs
