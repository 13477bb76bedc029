"""What a study leaves to be measured: once, the same for all arms, and kept when it is resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from blocks.source import read_yaml
from search import settle
from search.doubts import doubts
from search.engine import overcrowding
from search.train import TrainSpec
from search.train.choose import Question, choose, fitting
from search.trial import Job, attempt
from tests.search.command import STUDY, rows, write_study
from tests.search.conftest import Command
from tests.search.studies import plan

OPEN = STUDY.replace("epochs: 2,", "epochs: 1, precision: auto, compile: auto, micro_batch: auto,")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What was measured: in this process, which takes no start."""
    asked: list[Job] = []

    def here(runner: Any, job: Job, splits: Any, device: str) -> dict[str, Any]:
        asked.append(job)
        return attempt(runner, job, splits, device)

    monkeypatch.setattr(settle, "in_new_process", here)
    return asked


@pytest.mark.slow
def test_it_is_measured_once_recorded_and_kept(inline: Command, tmp_path: Path, measured: list[Job]) -> None:
    path = write_study(tmp_path, OPEN)
    directory = tmp_path / "runs" / "tiny"
    assert inline(str(path)) == 0
    assert len(measured) == 1
    train = read_yaml(directory / "study.yaml").data["train"]
    assert train["precision"] in {"float32", "bfloat16"}
    assert (train["compile"], train["micro_batch"]) == ("off", 16)
    told = json.loads((directory / "environment.json").read_text())["measured"]
    assert told["chosen"] == {name: train[name] for name in settle.OPEN}
    assert set(told["step_seconds"]) == {"float32", "bfloat16"}
    found = rows(directory / "results.csv")
    assert {(row["precision"], row["device"], row["micro_batch"]) for row in found} == {
        (train["precision"], "cpu", "16")
    }
    assert inline(str(path), "--set", "design.seeds=3") == 0
    assert len(measured) == 1
    assert {row["arm"] for row in rows(directory / "results.csv")} == {row["arm"] for row in found}
    assert inline(str(path), "--set", "train.precision=float16") == 4


def test_a_choice_is_no_coins_toss(monkeypatch: pytest.MonkeyPatch) -> None:
    from search.train import choose as module

    network, question = plan().baseline.configuration.network, Question((1, 8, 8), 10, 0, 0, 1)
    for seconds, expected in (([1.0, 0.96], "float32"), ([1.0, 0.9], "bfloat16"), ([1.0, 3.0], "float32")):
        monkeypatch.setattr(module, "in_turns", lambda steps, shape, seconds=seconds: seconds)
        recipe, limits = TrainSpec(batch_size=8, precision="auto"), plan().limits
        assert choose(network, recipe, question, torch.device("cpu"), limits)["chosen"] == {"precision": expected}


def test_compiling_is_chosen_where_a_trial_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    from search.train import choose as module

    network, recipe = plan().baseline.configuration.network, TrainSpec(batch_size=8, compile="auto")
    monkeypatch.setattr(module, "timed", lambda step, shape: 20.0)  # what compiling takes
    monkeypatch.setattr(module, "in_turns", lambda steps, shape: [1.0, 0.8][: len(steps)])
    for steps, expected in ((100, "off"), (150, "off"), (250, "on")):
        question = Question((1, 8, 8), steps, 0, 0, 1)
        found = choose(network, recipe, question, torch.device("cpu"), plan().limits)
        assert found["chosen"] == {"compile": expected}
        assert ("compiling_seconds" in found["compile"]) == (steps > 120)


@pytest.mark.parametrize(
    ("activations", "at_once", "images"), [(10, 1, 128), (1000, 1, 64), (1000, 2, 32), (10**6, 1, 1)]
)
def test_as_many_images_at_a_time_as_fit(activations: int, at_once: int, images: int) -> None:
    assert fitting(128, Question((3, 8, 8), 1, 50, activations, at_once), 1250) == images


def test_an_arm_of_its_own_cannot_be_left_open(
    inline: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STUDY.replace("levels: [1, 6]}", "levels: [1, 6]}\n  low: {path: train.precision, levels: [auto]}")
    assert inline(str(write_study(tmp_path, text))) == 2
    assert "leaves train.precision to be measured" in capsys.readouterr().err


def test_arms_whose_batch_norms_see_different_batches_are_warned_of() -> None:
    factor = "factors: {parts: {path: train.micro_batch, levels: [4, 8]}}"
    made = plan(factor, "design: {kind: one_at_a_time, seeds: 1}")
    said = [doubt for doubt in doubts(made.arms.values()) if "batch norm sees" in doubt]
    assert len(said) == 2
    alike = plan(factor, "design: {kind: one_at_a_time, seeds: 1}")
    assert not [doubt for doubt in doubts([alike.rows[1]]) if "batch norm sees" in doubt]


def test_more_threads_than_cores_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.engine.cores", lambda: 4)
    assert overcrowding(4, 1) is None
    assert overcrowding(2, 2) is None
    said = overcrowding(4, 2)
    assert said is not None
    assert "--workers 2" in said
