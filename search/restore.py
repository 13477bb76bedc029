"""A search as its record left it: everything that came is gone through again, in the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search.arms import Trial
from search.budget import epochs_of

if TYPE_CHECKING:
    from search.outcomes import Outcomes
    from search.plan import Plan

Entry = Mapping[str, Any]


def restore(plan: Plan, outcomes: Outcomes, entries: Sequence[Entry], finished: Mapping[str, Entry]) -> None:
    """Goes through the record as it was written, and then through what it does not tell of.

    Args:
        finished: The last entry of every trial that ended, by its name.
    """
    ends = [(number, entry) for number, entry in enumerate(entries) if entry["event"] == "finished"]
    last = {entry["trial"]: number for number, entry in ends}
    stops = {number for number, entry in ends if entry["status"] == "stopped"}
    for number, entry in enumerate(entries):
        event = entry["event"]
        if event == "arm":
            _admit(plan, outcomes, entry)
        elif event == "replicate" and entry["arm"] in outcomes.course.begun:
            outcomes.course.replicate(entry["arm"], entry["seed"])
        elif event == "rung" or (event == "finished" and (number in stops or number == last[entry["trial"]])):
            _restore_trial(outcomes, entry["trial"], entry)
    for name, ended in finished.items():
        if name in outcomes.course.waiting and name not in last:
            _restore_trial(outcomes, name, ended)


def _admit(plan: Plan, outcomes: Outcomes, entry: Entry) -> None:
    outcomes.feedback.admit(entry["arm"], entry["choice"], entry["memo"])
    judged = entry.get("judged")  # which earlier versions didn't keep
    admitted = plan.recall(outcomes.feedback.choice(entry["arm"]), entry["arm"], entry["label"], judged)
    if admitted.arm not in outcomes.course.begun:
        outcomes.course.take(admitted)


def _restore_trial(outcomes: Outcomes, name: str, entry: Entry) -> None:
    course = outcomes.course
    arm, _, seed = name.rpartition("-s")
    if arm not in course.begun or int(seed) not in course.begun[arm]:  # of another phase
        return
    trial, before = Trial(arm, int(seed), "explore"), course.ended.get(name)
    if entry["status"] == "stopped" and before is not None and epochs_of(before) == epochs_of(entry):
        course.ended[name] = entry  # it was to go on from there, and there was no time
    elif entry["status"] not in ("paused", "stopped"):
        outcomes.finished(trial, entry)
    elif outcomes.promotion is not None:
        outcomes.paused(trial, entry)
