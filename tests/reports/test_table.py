"""Reading run directories, good and bad."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.files import ENVIRONMENT
from reports.table import FILES, RunError, Table, read
from tests.reports import runs


@pytest.fixture
def copy(written: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(written("ablation"), tmp_path / "run"))


def test_a_run_directory_becomes_tables(table: Callable[[str], Table]) -> None:
    run = table("ablation")
    assert run.design.kind == "one_at_a_time"
    assert run.design.seeds == (0, 1, 2, 3, 4)
    assert len(run.arms) == 8
    assert len(run.trials) == 40 + 4 * 3
    assert run.levels["expansion"].tolist() == ["4", "1", "1", "2", "2", "6", "6", "4"]
    assert run.arms.index[0] == run.baseline
    assert run.entry(run.baseline)["macs"] == 226_000


def test_only_completed_trials_have_accuracies(table: Callable[[str], Table]) -> None:
    trials = table("broken").phase("explore")
    completed = trials["status"] == "completed"
    assert trials.loc[completed, "val_accuracy"].notna().all()
    assert trials.loc[~completed, "val_accuracy"].isna().all()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(RunError, match=f"not a run directory: {name} missing"):
        read(copy)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("arms.json", "{", "arms.json: not valid JSON"),
        ("arms.json", "[]", "arms.json: Expected `object`, got `array`"),
        ("arms.json", '{"schema": 2}', "schema 2; this version reads schema 1"),
        ("arms.json", '{"schema": 1}', "arms.json: Object missing required field `baseline`"),
        ("environment.json", "\x00", "environment.json: not valid JSON"),
        ("study.yaml", "a: [", "study.yaml: not valid YAML"),
        ("study.yaml", "- a", "study.yaml: expected a mapping"),
        ("study.yaml", "a: 1\na: 2", "study.yaml: not valid YAML"),
        ("results.csv", "", "results.csv: the column trial, arm"),
        ("results.csv", "trial,arm\n", "results.csv: the column match, phase"),
    ],
)
def test_a_broken_file_is_named(copy: Path, name: str, text: str, message: str) -> None:
    (copy / name).write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=message.replace("[", r"\[")):
        read(copy)


def test_a_number_that_is_none_is_named(copy: Path) -> None:
    results = (copy / "results.csv").read_text(encoding="utf-8")
    (copy / "results.csv").write_text(results.replace(",2.48,", ",long,"), encoding="utf-8")
    with pytest.raises(RunError, match=r"results\.csv: not a table"):
        read(copy)


@pytest.mark.parametrize("field", sorted(ENVIRONMENT))
def test_a_field_missing_from_the_environment_is_named(copy: Path, field: str) -> None:
    path = copy / "environment.json"
    environment = json.loads(path.read_text(encoding="utf-8"))
    *parents, name = field.split(".")
    within = environment
    for parent in parents:
        within = within[parent]
    del within[name]
    path.write_text(json.dumps(environment), encoding="utf-8")
    with pytest.raises(RunError, match=rf"environment\.json: {field} is missing"):
        read(copy)


def test_a_field_of_the_wrong_type_is_named(copy: Path) -> None:
    path = copy / "environment.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "workers": "two"}), encoding="utf-8")
    with pytest.raises(RunError, match=r"environment\.json: workers is of the wrong type: 'two'"):
        read(copy)


def test_arms_of_a_list_are_called_by_their_name(table: Callable[[str], Table]) -> None:
    assert table("list").arms["label"].tolist() == ["baseline", "gelu", "silu"]


def test_a_baseline_must_be_an_arm(copy: Path) -> None:
    arms = json.loads((copy / "arms.json").read_text(encoding="utf-8"))
    (copy / "arms.json").write_text(json.dumps({**arms, "baseline": "gone"}), encoding="utf-8")
    with pytest.raises(RunError, match="the baseline 'gone' is not among the arms"):
        read(copy)


def test_levels_that_look_like_missing_values_stay_text(tmp_path: Path) -> None:
    sketch = runs.Sketch("words", "one_at_a_time", {"norm": ["None", "NA", "nan"]}, {"norm": "None"}, [0, 1])
    for level, label in (("None", "baseline"), ("NA", "norm=NA"), ("nan", "norm=nan")):
        sketch.arm({"norm": level}, 0.9, 1000, label=label)
    assert read(runs.run_all(sketch).write(tmp_path)).levels["norm"].tolist() == ["None", "NA", "nan"]


def test_a_defused_formula_is_text_again(tmp_path: Path) -> None:
    sketch = runs.ablation(name="formula")
    sketch.run(sketch.arms[0]["arm"], 0, status="failed", reason="=1+1")
    sketch.run(sketch.arms[0]["arm"], 1, status="failed", reason="'quoted'")
    assert read(sketch.write(tmp_path)).trials["reason"].tolist() == ["=1+1", "'quoted'"]
