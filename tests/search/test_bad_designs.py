"""Bad factors and designs on the command line: exit 2, with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.command import STUDY, arms, rows, write_study
from tests.search.conftest import Command

FACTOR, DESIGN = STUDY.splitlines()[10:12]
TWO_LEVELS = """\
  e: {path: "network.stages[*].block.expansion", levels: [6]}
  a: {path: "network.stages[*].block.attention", levels: [se]}
  s: {path: train.label_smoothing, levels: [0.1]}"""
MATCHED = "{kind: one_at_a_time, seeds: 2, match: {cost: macs, tolerance: 0.08}}"
A = "  a: {path: train.epochs, levels: [1], when: {b: [8]}}"
B = "  b: {path: train.batch_size, levels: [8], when: {a: [1]}}"


@pytest.mark.parametrize(
    ("factor", "design", "place", "complaint"),
    [
        (f"{A}\n{B}", MATCHED, "study.yaml:11:3: factors.a: ", "goes in a circle: a -> b -> a"),
        ("  a: {path: train.epochs, same_as: b}", MATCHED, "study.yaml:11:", "there is no factor 'b'"),
        (
            f"{FACTOR[:-1]}, when: {{a: []}}}}\n  a: {{path: train.epochs, levels: [1]}}",
            MATCHED,
            "study.yaml:11:",
            "at least 1",
        ),
        (
            f"{FACTOR[:-1]}, when: {{lr: [0.2]}}}}\n"
            "  lr: {path: train.optimizer.lr, range: {low: 0.01, high: 1, log: true}}",
            "{kind: search, trials: 4, objectives: [val_accuracy]}",
            "study.yaml:11:",
            "lr is a range without steps, which has no single levels to be a condition",
        ),
        ("  a: {path: train.epochs, levels: [1.5]}", MATCHED, "study.yaml:11:36: factors.a.levels[0]", "not possible"),
        ("  macs: {path: train.epochs, levels: [1]}", MATCHED, "study.yaml:11:3: factors.macs", "is a fixed column"),
        (
            FACTOR,
            "{kind: one_at_a_time, match: {cost: macs, tolerance: 0.0001}}",
            "study.yaml:12:38: design.match",
            "no arm can be brought to the baseline's cost. expansion=1: the nearest widths",
        ),
        (
            "  smoothing: {path: train.label_smoothing, off: 0.0}",
            "leave_one_out",
            "study.yaml:11:49: factors.smoothing.off",
            "the baseline is without it already",
        ),
        (FACTOR, "leave_one_out", "study.yaml:11:3: factors.expansion", "leave_one_out takes parts off"),
        (
            FACTOR + "\n  epochs_: {path: train.epochs, levels: [1]}",
            "{kind: factorial, fraction: {resolution: 3}}",
            "study.yaml:11:3: factors.expansion",
            "a fraction by resolution takes factors of two levels, and this one has 3",
        ),
        (
            TWO_LEVELS,
            "{kind: factorial, fraction: {resolution: 3}, match: {cost: macs, tolerance: 0.005}}",
            "study.yaml:14:61: design.match: the run e=6, s=0.1",
            "and the effects of a fraction at equal cost need every one of its runs there",
        ),
        (
            FACTOR + "\n  b: {path: train.epochs, same_as: c}",
            MATCHED,
            "study.yaml:12:36: factors.b.same_as: there is no factor 'c': there are expansion, b",
            "",
        ),
        (
            "  b: {path: train.epochs, same_as: c}",
            MATCHED,
            "study.yaml:11:36: factors.b.same_as: there is no factor 'c': there is only b",
            "",
        ),
        (
            FACTOR + "\nconstraints: {macs: {max: 5}}",
            "{kind: population, arms: 2}",
            "study.yaml:12:14: constraints",
            "none of 1,000 random arms of the space can run; most (",
        ),
    ],
)
def test_mistakes(
    inline: Command,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    factor: str,
    design: str,
    place: str,
    complaint: str,
) -> None:
    write_study(tmp_path, STUDY.replace(FACTOR, factor).replace(MATCHED, design))
    assert inline("study.yaml") == 2
    said = capsys.readouterr()
    assert said.err.startswith(place)
    assert complaint in said.err
    assert said.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize("design", ["leave_one_out", pytest.param("factorial", marks=pytest.mark.slow)])
def test_arms_of_a_declared_design_are_never_stopped_early(inline: Command, tmp_path: Path, design: str) -> None:
    rate = "  rate: {path: train.optimizer.lr, off: 0.0000001}"  # learns nothing, and is trained to the end
    write_study(tmp_path, STUDY.replace(FACTOR, rate).replace(MATCHED, f"{{kind: {design}, seeds: 2}}"))
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "tiny"
    table = [row for row in rows(directory / "results.csv") if row["phase"] == "explore"]
    assert {(row["status"], row["epochs"]) for row in table} == {("completed", "2")}
    assert sorted((row["rate"], row["seed"]) for row in table) == [
        (level, seed) for level in ("0.1", "off") for seed in ("0", "1")
    ]
    assert arms(directory)["design"]["kind"] == design
    assert (directory / "report.html").exists()


def test_a_population_and_its_page(inline: Command, tmp_path: Path) -> None:
    factor = '  width: {path: "network.stages[*].width", range: {low: 8, high: 16}}\n' + FACTOR
    spaces = "spaces: {narrow: {width: {high: 12}}, wide: {width: {low: 11}}}"
    text = STUDY.replace(FACTOR, factor).replace(MATCHED, f"{{kind: population, arms: 3, {spaces}}}")
    write_study(tmp_path, text.replace("epochs: 2", "epochs: 1") + "constraints: {macs: {max: 1e6}}\n")
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "tiny"
    design = arms(directory)["design"]
    assert [space["name"] for space in design["spaces"]] == ["narrow", "wide"]
    trained = {row["arm"] for row in rows(directory / "results.csv") if row["status"] == "completed"}
    assert {arm for space in design["spaces"] for arm in space["arms"]} <= trained
    assert design["cost_band"] == {"cost": "macs", "min": None, "max": 1e6}
    assert (directory / "report.html").exists()
