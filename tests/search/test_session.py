"""Phases, choices and scores, with a runner that trains nothing: what the session does between trials."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from search.dispatch import TooManyFailures
from search.engine import Inline
from search.interrupts import Interrupts
from search.plan import Plan
from search.progress import Talk
from search.record import Record
from search.select import finalists, scores, winner
from search.session import Session, UnknownTrial
from search.shelf import Shelf
from search.trial import Job
from tests.search.studies import plan

LINES = [
    'factors: {lr: {path: "train.optimizer.lr", levels: [0.2, 0.3, 0.4, 0.5, 0.6]}}',
    "design: {kind: one_at_a_time, seeds: 3}",
    "confirm: {finalists: 2, seeds: 2}",
]


def reply(job: Job, status: str = "completed") -> dict[str, Any]:
    """Returns what a trial of this name would say: scores drawn from its name, and nothing trained."""
    draw = random.Random(hashlib.sha256(job.name.encode()).digest())
    accuracy = draw.random()
    epoch = {"epoch": 1, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": accuracy, "lr": 0.1}
    if job.task == "test":
        return {"status": "completed", "reason": "", "test_accuracy": accuracy, "test_loss": 1.0, "test_correct": ""}
    return {"status": status, "reason": "", "epochs": [epoch], "weights": b"weights" if job.keep_weights else None}


def session(
    found: Plan, directory: Path, record: Record, runner: Any = None, max_failures: int | None = None
) -> Session:
    executor = Inline(lambda job: None, runner=runner or (lambda job, splits, device: reply(job)))
    talk, interrupts = Talk(quiet=True), Interrupts()
    return Session(found, directory, record, lambda: executor, talk, Shelf(), interrupts, max_failures=max_failures)


def explore(found: Plan, record: Record, directory: Path, **settings: Any) -> Session:
    """Runs the explore phase alone."""
    made = session(found, directory, record, **settings)
    made._phase("explore", made._explore_queue())
    return made


def test_the_leader_that_is_shown_is_the_arm_with_the_best_mean(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = session(found, tmp_path, record)
        for count, trial in enumerate(found.explore_trials(), 1):
            made.dispatch.finish(trial, reply(Job(trial.name, "train", {}, trial.seed)), made._explore_queue())
            means: dict[str, list[float]] = {}
            for entry in list(made.finished.values())[:count]:
                means.setdefault(entry["arm"], []).append(entry["val_accuracy"])
            best = max(sum(values) / len(values) for values in means.values())
            leader = made.dispatch.leaders.best("explore")
            assert leader is not None
            assert leader[0] == pytest.approx(best)


def test_finalists_are_the_best_complete_arms_and_never_the_baseline(tmp_path: Path) -> None:
    found = plan(*LINES)

    def one_fails(job: Job, splits: Any, device: str) -> dict[str, Any]:
        return reply(job, "diverged" if job.name == f"{found.rows[1].arm}-s2" else "completed")

    with Record(tmp_path) as record:
        made = explore(found, record, tmp_path, runner=one_fails)
        scored = scores(found, made.finished, "explore", found.seeds)
        assert set(scored) == {row.arm for row in found.rows} - {found.rows[1].arm}
        others = sorted((arm for arm in scored if arm != found.baseline.arm), key=lambda arm: -scored[arm])
        assert finalists(found, scored) == others[:2]


def test_ties_go_to_the_cheaper_arm() -> None:
    found = plan(
        'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}', "design: factorial"
    )
    cheapest = min(found.rows, key=lambda row: row.cost.macs if row.cost else 0)
    assert winner(found, {row.arm: 0.5 for row in found.rows}) == cheapest.arm


def test_a_baseline_outside_the_constraints_never_wins() -> None:
    base = plan().baseline.cost
    assert base is not None
    found = plan(
        'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}',
        "design: one_at_a_time",
        f"constraints: {{macs: {{max: {base.macs - 1}}}}}",
    )
    scored = {row.arm: 0.5 for row in found.rows} | {found.baseline.arm: 0.9}
    assert winner(found, scored) not in {None, found.baseline.arm}


def test_a_search_takes_its_finalists_from_the_front() -> None:
    found = plan(
        'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2, 6]}}',
        "design: {kind: search, trials: 4, objectives: [val_accuracy, macs]}",
    )
    for level in found.space.variables[0].levels:
        found.admit({"expansion": level})
    one, two, six = (row.arm for row in found.rows[1:])
    # The arm of expansion 6 costs more than that of 2 and is no better: it is not on the front.
    assert finalists(found, {found.baseline.arm: 0.1, one: 0.5, two: 0.7, six: 0.7}) == [two, one]


def test_too_many_failures_end_the_session(tmp_path: Path) -> None:
    def fails(job: Job, splits: Any, device: str) -> dict[str, Any]:
        raise RuntimeError("no luck\nsecond line")

    with Record(tmp_path) as record:
        with pytest.raises(TooManyFailures, match="3 trials failed; the last: RuntimeError: no luck"):
            explore(plan(*LINES), record, tmp_path, runner=fails, max_failures=2)
        failed = [entry for entry in record.entries if entry["event"] == "finished"]
        assert [entry["status"] for entry in failed] == ["failed"] * 3
        assert "in fails" in failed[0]["traceback"]


def test_what_is_finished_is_not_run_again(tmp_path: Path) -> None:
    ran: list[str] = []

    def runner(job: Job, splits: Any, device: str) -> dict[str, Any]:
        ran.append(job.name)
        return reply(job)

    found = plan(*LINES)
    with Record(tmp_path) as record:
        explore(found, record, tmp_path, runner=runner)
    with Record(tmp_path) as record:
        explore(found, record, tmp_path, runner=runner)
    assert sorted(ran) == sorted(trial.name for trial in found.explore_trials())


def test_only_a_planned_trial_can_be_run(tmp_path: Path) -> None:
    with Record(tmp_path) as record, pytest.raises(UnknownTrial, match="there is no trial 'nothing'"):
        session(plan(*LINES), tmp_path, record).run_only("nothing")


def test_losses_that_are_not_finite_are_recorded_as_missing(tmp_path: Path) -> None:
    def diverges(job: Job, splits: Any, device: str) -> dict[str, Any]:
        return {"status": "diverged", "reason": "the loss is nan", "epochs": [], "train_loss": float("nan")}

    with Record(tmp_path) as record:
        made = explore(plan(*LINES), record, tmp_path, runner=diverges)
        assert all(entry["train_loss"] is None for entry in made.finished.values())


def test_a_space_that_is_used_up_ends_the_search(tmp_path: Path) -> None:
    found = plan(
        'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}',
        "design: {kind: search, trials: 50, sampler: random}",
    )
    with Record(tmp_path) as record:
        explore(found, record, tmp_path)
        finished = [entry["arm"] for entry in record.entries if entry["event"] == "finished"]
    assert len(finished) == len(set(finished)) == 3
