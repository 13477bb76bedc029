"""What is added to a finished study, through the command: run, told with its time, and nothing twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from search.audit import main as audit
from search.plan import Plan
from search.record import Record, read
from search.study import load_study
from tests.reports.evidence import Run
from tests.reports.reading import Reader
from tests.reports.sentences import unexplained
from tests.search.command import arms, finished, rows, write_study
from tests.search.conftest import Command
from tests.search.studies import at

FIRST = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 80}
network: {stem: {kind: conv3x3, width: 4}, stages: [{block: basic, depth: 1, width: 4}]}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""
LISTED = [
    'factors: {width: {path: "network.stages[*].width", levels: [8]}}',
    "design: {kind: one_at_a_time, seeds: 1}",
    "confirm: {finalists: 1, seeds: 1}",
]
TUNE = "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 2}"


def study(*lines: str, base: str = FIRST) -> str:
    return base + "\n".join(lines or LISTED) + "\n"


def changed(old: str, new: str, text: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.slow
def test_levels_factors_tuning_and_confirm_seeds_are_added_to_a_finished_study(tmp_path: Path, inline: Command) -> None:
    text = study(*LISTED, TUNE)
    steps = [
        (text, []),
        (text := changed("levels: [8]", "levels: [8, 12]", text), ["level 12 of width"]),
        (text := changed("}\ndesign", ACTIVATION, text), ["factor activation"]),
        (text := changed("trials: 2", "trials: 4", text), ["tune trials: 4 in place of 2"]),
        (changed("finalists: 1, seeds: 1", "finalists: 1, seeds: 2", text), ["confirm seeds: 2 in place of 1"]),
    ]
    told: list[dict[str, str]] = []
    measured: dict[str, str] = {}
    for step, what in steps:
        write_study(tmp_path, step)
        assert inline("study.yaml") == 0
        table = rows(run_of(tmp_path) / "results.csv")
        assert {row["trial"]: row["val_loss"] for row in table if row["trial"] in measured} == measured
        measured |= {row["trial"]: row["val_loss"] for row in table}
        told += [{"time": sessions(tmp_path)[-1]["time"], "what": text} for text in what]
        assert arms(run_of(tmp_path))["additions"] == told
    assert set(Counter(finished(run_of(tmp_path))).values()) == {1}
    assert set(finished(run_of(tmp_path))) == set(measured)
    content = arms(run_of(tmp_path))
    assert {row["arm"] for row in table} <= {each["arm"] for each in [*content["arms"], *content["derived"]]}
    ledger = content["selection"]["ledger"]
    assert ledger[0]["why"].startswith("the winner was chosen: ")
    assert ledger[-1]["why"].startswith(("the choice stayed, with more trials behind it: ", "the choice changed: "))
    assert ledger[-1]["time"] >= told[-1]["time"]
    warnings = json.loads((run_of(tmp_path) / "environment.json").read_text())["warnings"]
    assert [text for text in warnings if text.endswith(ledger[-1]["why"]) and "is opened again" in text]


@pytest.mark.slow
def test_the_books_add_up_when_an_added_level_takes_a_finalists_place(tmp_path: Path, inline: Command) -> None:
    lines = ["factors: {rate: {path: train.optimizer.lr, levels: [1.0e-9]}}", *LISTED[1:]]
    text = changed("epochs: 1", "epochs: 4", study(*lines)).replace("images: 80", "images: 240")
    text = changed("seeds: 1}", "seeds: 2}", text)
    for step in (text, changed("[1.0e-9]", "[1.0e-9, 0.05]", text)):
        write_study(tmp_path, step)
        assert inline("study.yaml") == 0
    table = rows(run_of(tmp_path) / "results.csv")
    finalists = arms(run_of(tmp_path))["selection"]["finalists"]
    gone = [row["trial"] for row in table if row["phase"] == "confirm" and "1e-09" in row["rate"]]
    assert (len(finalists), len(gone)) == (1, 2)
    planned = json.loads((run_of(tmp_path) / "environment.json").read_text())["planned"]
    assert planned["earlier"] == gone
    assert planned["trials"] == len(table) - 2
    assert audit([str(run_of(tmp_path))]) == 0
    record = json.loads((run_of(tmp_path) / "report.json").read_text())
    assert record["counts"]["adds_up"]
    assert (record["counts"]["trials"]["planned"], record["counts"]["trials"]["earlier"]) == (10, 2)
    page = (run_of(tmp_path) / "report.html").read_text().replace("\u00a0", " ")
    assert "10 trials planned = 10 completed" in page
    assert "Beside them 2 trials of an earlier plan" in page
    assert "1 more arm was a finalist of an earlier plan" in page
    assert "do not add up" not in page
    assert unaccounted(run_of(tmp_path)) == []


def unaccounted(directory: Path) -> list[str]:
    """Returns the sentences of a page whose numbers nothing explains."""
    page = directory / "report.html"
    run = Run.of(page)
    said = [each for each in Reader(page.read_text(encoding="utf-8")).found if each.tag not in ("td", "th")]
    return [line for each in said for line in unexplained(run, each)]


@pytest.mark.slow
def test_trials_are_added_to_a_search(tmp_path: Path, inline: Command) -> None:
    text = study(
        'factors: {width: {path: "network.stages[*].width", levels: [8, 12, 16, 20]}}',
        "design: {kind: search, sampler: random, trials: 2}",
        LISTED[2],
    )
    for step in (text, changed("trials: 2", "trials: 4", text)):
        write_study(tmp_path, step)
        assert inline("study.yaml") == 0
    assert [each["what"] for each in arms(run_of(tmp_path))["additions"]] == ["trials: 4 in place of 2"]
    explored = [row["trial"] for row in rows(run_of(tmp_path) / "results.csv") if row["phase"] == "explore"]
    assert len(explored) == 4
    assert set(Counter(finished(run_of(tmp_path))).values()) == {1}


@pytest.mark.slow
def test_a_study_half_way_through_more_tuning_has_its_page(tmp_path: Path, inline: Command) -> None:
    """The arms that tuning had yielded are none until it has ended again, and the winner may be one of them."""
    write_study(tmp_path, study(*LISTED, TUNE))
    assert inline("study.yaml") == 0
    write_study(tmp_path, changed("trials: 2", "trials: 4", study(*LISTED, TUNE)))
    before = len(finished(run_of(tmp_path)))
    new = next(iter(set(planned_tuning(tmp_path)) - set(finished(run_of(tmp_path)))))
    assert inline("study.yaml", "--only", new) == 0
    assert len(finished(run_of(tmp_path))) == before + 1
    assert (run_of(tmp_path) / "report.html").exists()
    assert inline("study.yaml") == 0
    assert set(Counter(finished(run_of(tmp_path))).values()) == {1}


def test_changes_are_told_field_by_field_and_nothing_is_run(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    text = study()
    write_study(tmp_path, text)
    assert inline("study.yaml") == 0
    before = (run_of(tmp_path) / "trials.jsonl").read_bytes()
    capsys.readouterr()
    settings = ("train.epochs=2", "factors.width.levels=[16]", "confirm.finalists=2", "margin=0.01")
    assert inline("study.yaml", *(part for each in settings for part in ("--set", each))) == 4
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("  ")] == [
        "  train.epochs: was 1, is now 2",
        "  factors.width.levels[0]: was 8, is now 16",
        "  margin: was not there, is now 0.01",
    ]
    assert (run_of(tmp_path) / "trials.jsonl").read_bytes() == before
    forget(tmp_path)
    before = (run_of(tmp_path) / "trials.jsonl").read_bytes()
    assert inline("study.yaml") == 0
    assert (run_of(tmp_path) / "trials.jsonl").read_bytes() == before
    assert inline("study.yaml", "--set", "train.label_smoothing=0.1") == 4
    assert inline("study.yaml", "--set", "design.vary=[order]") == 4
    assert inline("study.yaml", "--set", "design.seeds=2", "--set", "fidelity={arms: 5, epochs: [1, 2]}") == 2
    assert inline("study.yaml", "--set", "design.seeds=2") == 0
    assert [each["what"] for each in arms(run_of(tmp_path))["additions"]] == ["seed 1"]


ACTIVATION = ', activation: {path: "network.stages[*].block.activation", levels: [gelu]}}\ndesign'


def run_of(folder: Path) -> Path:
    return folder / "runs" / "tiny"


def sessions(folder: Path) -> list[dict[str, Any]]:
    return [entry for entry in read(run_of(folder) / "trials.jsonl")[0] if entry["event"] == "session"]


def planned_tuning(folder: Path) -> list[str]:
    """Returns the names of the trials that tune in the study of a folder."""
    tuning = Plan(load_study(folder / "study.yaml")).tuning
    assert tuning is not None
    return [trial.name for trial in tuning.trials()]


LATER = {
    (): ("tune", "fidelity", "power", "tracking"),
    ("design",): ("vary",),
    ("train",): ("precision", "diagnosis", "accumulation", "ema", "clip_norm", "evaluation", "micro_batch", "compile"),
    ("train", "augment"): ("policy", "mixup", "cutmix", "erasing"),
}
"""Fields that studies did not have at first."""


def forget(folder: Path) -> None:
    """Makes a record one of before there were some fields: takes them out of its sessions' entries."""
    entries = read(run_of(folder) / "trials.jsonl")[0]
    (run_of(folder) / "trials.jsonl").unlink()
    with Record(run_of(folder)) as record:
        for entry in entries:
            if entry["event"] == "session":
                for place, names in LATER.items():
                    for name in names:
                        del at(entry["study"], *place)[name]
            record.append(**entry)
