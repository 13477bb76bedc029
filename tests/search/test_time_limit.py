"""A study that has only so much time: it explores less, and ends well."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from search.confirm import seeds_of_all
from search.engine import Inline
from search.interrupts import Interrupts
from search.plan import Plan
from search.progress import Talk
from search.record import Record
from search.resume import check_resumable
from search.session import Session
from search.shelf import Shelf
from search.standing import Standing
from search.time_limit import TimeLimit
from search.trial import Job
from tests.search.studies import plan, study
from tests.search.test_session import reply

SECONDS = 0.04
LINES = [
    'factors: {lr: {path: "train.optimizer.lr", levels: [0.2, 0.3, 0.4]}}',
    "design: {kind: one_at_a_time, seeds: 50}",
    "confirm: {finalists: 1, seeds: 5}",
    "time: {hours: 1}",
]


def sleeps(job: Job, splits: Any, device: str) -> dict[str, Any]:
    time.sleep(SECONDS)
    return {**reply(job), "train_seconds": SECONDS}


class Untested(Session):
    """A session that opens no test split: its trials have no weights."""

    def _open_test(self, chosen: list[str]) -> None:
        """There is nothing to report."""


def session(found: Plan, record: Record, directory: Path, seconds: float) -> Session:
    executor = Inline(lambda job: None, runner=sleeps)
    return Untested(
        found,
        directory,
        record,
        lambda: executor,
        Talk(quiet=True),
        Shelf(),
        Interrupts(),
        time_limit=TimeLimit(seconds),
    )


def test_a_study_whose_time_is_up_has_finalists_and_says_what_it_left(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = session(found, record, tmp_path, 2.0)
        began = time.monotonic()
        made.run()
        assert time.monotonic() - began < 10
        late = made.record.last("time_up")
    standing = Standing.read(tmp_path)
    phases = {phase.name: phase for phase in standing.phases}
    assert 0 < phases["explore"].done < phases["explore"].total == 200
    assert phases["confirm"].done == phases["confirm"].total == 10  # what they need was held back
    assert late["left"] == {"explore": 200 - phases["explore"].done}
    assert len(made.record.last("finalists")["arms"]) == 1


def test_arms_are_compared_on_the_seeds_that_all_have(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = session(found, record, tmp_path, 3600)
        trials = found.explore_trials()[: 2 * 4 + 3]  # two seeds of four arms, and a third that is not complete
        made.finished |= {
            trial.name: {**reply(Job(trial.name, "train", {}, 0)), "phase": "explore"} for trial in trials
        }
        assert len(made._seeds_explored()) == 50
        made._time_limit.was_up = True
        assert made._seeds_explored() == [0, 1]


def test_more_hours_are_no_other_study() -> None:
    more = study(*LINES[:-1], "time: {hours: 2, trial_minutes: 3}")
    check_resumable(study(*LINES).spec.plain(), more.spec.plain())


def test_a_confirm_phase_that_is_cut_compares_on_the_seeds_that_all_have(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = session(found, record, tmp_path, 3600)
        baseline, other = list(found.arms)[:2]
        for name in (f"{baseline}-s1000", f"{other}-s1000", f"{baseline}-s1001"):
            made.finished[name] = {**reply(Job(name, "train", {}, 0)), "phase": "confirm"}
        assert seeds_of_all(made.finished, [baseline, other], made.confirm_seeds) == [1000]
