"""Tuning: every arm tries the same values at equal budget and keeps its best; the arms that come of it are arms."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from blocks.source import InputError
from search.confirm import choose_finalists
from search.phases import FIRST_TUNE_SEED
from search.plan import Plan
from search.planned import planned_trials
from search.record import Record
from search.resume import StudyChanged, check_resumable
from search.session import Session
from search.trial import Job
from tests.search.command import arms
from tests.search.studies import plan, study
from tests.search.test_session import reply, session

TUNE = "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 5}"
LINES = [
    'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}',
    "design: {kind: one_at_a_time, seeds: 2, match: {cost: macs, tolerance: 0.2}}",
    "confirm: {finalists: 1, seeds: 2}",
    TUNE,
]


def lr(job: Job) -> float:
    return float(job.configuration["train"]["optimizer"]["lr"])


def likes(best: float, own: float = 0.1) -> Any:
    """Returns a runner under which all arms like one learning rate, and the less the further off it is."""

    def runner(job: Job, splits: Any, device: str) -> dict[str, Any]:
        answer = reply(job)
        if "epochs" in answer:
            answer["epochs"][0]["val_accuracy"] = 1 / (1 + abs(math.log(lr(job) / best)))
        return answer

    return runner


def explored(found: Plan, record: Record, directory: Path, runner: Any) -> Session:
    """Runs tuning and the explore phase."""
    made = session(found, directory, record, runner)
    assert found.tuning is not None
    made._tune(found.tuning)
    made._phase("explore", made._explore_queue())
    return made


def test_all_arms_try_the_same_values_after_their_own_at_equal_budget() -> None:
    found = plan(*LINES)
    assert found.tuning is not None
    assert any(arm.match != "none" for arm in found.arms.values())
    assert set(found.tuning.candidates) == set(found.arms)
    tried = [[each.values["train.optimizer.lr"] for each in tried] for tried in found.tuning.candidates.values()]
    assert len({tuple(values) for values in tried}) == 1
    values = tried[0]
    assert values[0] == 0.1
    assert len(set(values)) == 5
    assert all(0.01 <= value <= 1 for value in values)
    trials = found.tuning.trials()
    assert len({trial.name for trial in trials}) == len(trials) == 5 * len(found.arms)
    assert {trial.seed for trial in trials} == {FIRST_TUNE_SEED}


def test_more_trials_keep_the_first() -> None:
    few, many = plan(*LINES), plan(*LINES[:-1], TUNE.replace("trials: 5", "trials: 9"))
    assert few.tuning
    assert many.tuning
    for arm, candidates in few.tuning.candidates.items():
        assert many.tuning.candidates[arm][:5] == candidates
    check_resumable(few.study.spec.plain(), many.study.spec.plain())
    with pytest.raises(StudyChanged, match=r"tune.trials: was 9, is now 5"):
        check_resumable(many.study.spec.plain(), few.study.spec.plain())


def test_an_arm_keeps_its_best_value_and_joins_the_explore_phase_with_it(tmp_path: Path) -> None:
    found = plan(*LINES)
    before = planned_trials(found)
    with Record(tmp_path) as record:
        made = explored(found, record, tmp_path, likes(0.5))
        made.write()
        rows = [entry for entry in record.entries if entry["event"] == "finished"]
    tuning = arms(tmp_path)["tuning"]
    raw = [arm for arm in found.rows if arm.tuned_of is None]
    assert {arm.tuned_of: arm.label for arm in found.rows if arm.tuned_of} == {
        arm.arm: f"{arm.label}, tuned" for arm in raw
    }
    for arm, row in tuning["arms"].items():
        best = max(row["candidates"], key=lambda each: each["val_accuracy"])
        assert (row["tuned"], row["values"], row["score"]) == (best["arm"], best["values"], best["val_accuracy"])
        assert row["own_score"] == row["candidates"][0]["val_accuracy"] < row["score"]
        tuned = found.arms[row["tuned"]]
        assert tuned.configuration.network == found.arms[arm].configuration.network
        assert {f"{row['tuned']}-s{seed}" for seed in (0, 1)} <= {entry["trial"] for entry in rows}
    assert sum(entry["phase"] == "explore" for entry in rows) == 2 * len(found.rows) == before["explore"]
    assert sum(entry["phase"] == "tune" for entry in rows) == before["tune"]


def test_the_arms_that_tuning_yields_are_rebuilt_from_the_record(tmp_path: Path) -> None:
    found, again = plan(*LINES), plan(*LINES)
    with Record(tmp_path) as record:
        explored(found, record, tmp_path, likes(0.5))
    with Record(tmp_path) as record:
        session(again, tmp_path, record)
        assert [arm.arm for arm in again.rows] == [arm.arm for arm in found.rows]
        count = len(record.entries)
        explored(again, record, tmp_path, likes(0.5))
        assert len(record.entries) == count


def test_ties_go_to_the_arms_own_value_and_then_to_the_nearest(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        explored(found, record, tmp_path, lambda job, splits, device: {**reply(job), "epochs": [SAME]})
    assert found.tuning is not None
    assert all(kept == arm for arm, kept in found.tuning.kept.items())
    assert not any(arm.tuned_of for arm in found.rows)

    def own_diverges(job: Job, splits: Any, device: str) -> dict[str, Any]:
        return {**reply(job, "diverged" if lr(job) == 0.1 else "completed"), "epochs": [SAME]}

    other = plan(*LINES)
    (tmp_path / "other").mkdir()
    with Record(tmp_path / "other") as record:
        explored(other, record, tmp_path / "other", own_diverges)
    assert other.tuning is not None
    for arm, candidates in other.tuning.candidates.items():
        off = [abs(math.log(each.values["train.optimizer.lr"] / 0.1)) for each in candidates[1:]]
        assert other.tuning.kept[arm] == candidates[1 + off.index(min(off))].arm


SAME = {"epoch": 1, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "lr": 0.1}


def test_a_failed_value_counts_for_nothing_and_leaves_a_note(tmp_path: Path) -> None:
    found = plan(*LINES)

    def high_rates_fail(job: Job, splits: Any, device: str) -> dict[str, Any]:
        if lr(job) > 0.2:
            raise RuntimeError("no luck")
        return reply(job)

    with Record(tmp_path) as record:
        explored(found, record, tmp_path, high_rates_fail)
        notes = [entry["text"] for entry in record.entries if entry["event"] == "warning"]
    assert len(notes) == len([arm for arm in found.rows if arm.tuned_of is None])
    assert all("values of " in note and "RuntimeError: no luck" in note for note in notes)
    assert found.tuning is not None
    assert all(found.find(kept or "") for kept in found.tuning.kept.values())


def test_an_arm_without_any_score_stays_as_it_is(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = session(found, tmp_path, record, lambda job, splits, device: reply(job, "diverged"))
        assert found.tuning is not None
        made._tune(found.tuning)
        notes = [entry["text"] for entry in record.entries if entry["event"] == "warning"]
    assert set(found.tuning.kept.values()) == {None}
    assert notes == [f"tuning: {arm.label} completed with none of its values and stays as it is" for arm in found.rows]


def test_a_tuned_finalist_is_confirmed_beside_a_tuned_baseline(tmp_path: Path) -> None:
    found = plan(*LINES)
    with Record(tmp_path) as record:
        made = explored(found, record, tmp_path, likes(0.5))
        (finalist,) = choose_finalists(found, record, made._explored())
        names = {trial.arm for trial in made._confirm_trials([finalist])}
    assert found.tuning is not None
    assert found.arms[finalist].tuned_of
    assert names == {found.baseline.arm, found.tuning.kept[found.baseline.arm], finalist}


def test_two_paths_are_tuned_together() -> None:
    both = (
        "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, train.batch_size: {low: 8, high: 32}, trials: 6}"
    )
    found = plan(*LINES[:-1], both)
    assert found.tuning is not None
    values = [each.values for each in found.tuning.candidates[found.baseline.arm]]
    assert len({value["train.optimizer.lr"] for value in values}) == 6
    assert all(isinstance(value["train.batch_size"], int) for value in values)


def test_an_arm_with_another_optimizer_starts_from_its_own_rate() -> None:
    found = plan(
        'factors: {optimizer: {levels: {adamw: {"train.optimizer": {kind: adamw, lr: 0.003}}}}}',
        "design: one_at_a_time",
        TUNE,
    )
    assert found.tuning is not None
    own = [each[0].values["train.optimizer.lr"] for each in found.tuning.candidates.values()]
    assert own == [0.1, 0.003]


@pytest.mark.parametrize(
    ("lines", "place", "message"),
    [
        (["tune: {train.optimizer.lrr: {low: 0.1, high: 1}}"], "9:8", "no number there to start from"),
        (["tune: {network.stem.width: {low: 1, high: 4}}"], "9:8", "only numbers of the recipe are tuned"),
        (["tune: {train.optimiser.lr: {low: 1, high: 4}}"], "9:8", "did you mean 'optimizer'"),
        (["tune: {train.epochs: {low: 1, high: 4}}"], "9:8", "a budget"),
        (["tune: {train.optimizer.kind: {low: 1, high: 4}}"], "9:8", "no number there to start from, but 'sgd'"),
        (["tune: {trials: 4}"], "9:7", "names no path to tune"),
        (["tune: {train.optimizer.lr: {low: 1}}"], "9:28", "high: this field is required"),
        (["tune: {train.optimizer.lr: {low: 2, high: 1}}"], "9:28", "low (2) is above high (1)"),
        (["tune: {train.optimizer.lr: {low: 0.1, high: 1}, trials: 1}"], "9:57", "greater than or equal to 2"),
        (["tune: {train.batch_size: {low: 8, high: 10}}"], "9:7", "the ranges hold 3"),
        (["tune: {train.optimizer.momentum: {low: 0.5, high: 2}}"], "9:8", "can't take"),
        (["tune: {train.optimizer.lr: {low: 0.1, high: 1}}", "design: train"], "9:1", "design: train takes no tuning"),
        (
            ["tune: {train.optimizer.lr: {low: 0.1, high: 1}}", "design: {kind: search, trials: 4}"],
            "9:1",
            "design: search takes no tuning",
        ),
        (
            [
                "tune: {train.optimizer.lr: {low: 0.1, high: 1}}",
                "design: one_at_a_time",
                'factors: {lr: {path: "train.optimizer.lr", levels: [0.2]}}',
            ],
            "9:8",
            "the factor lr varies this",
        ),
    ],
)
def test_bad_tuning_is_refused_at_its_place(lines: list[str], place: str, message: str) -> None:
    rest = [] if any("design" in line for line in lines) else LINES[:2]
    with pytest.raises(InputError) as caught:
        Plan(study(*lines, *rest))
    text = str(caught.value)
    assert text.startswith(f"study.yaml:{place}: "), text
    assert message in text
