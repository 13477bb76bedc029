"""Several studies beside each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.__main__ import main
from reports.across import across, headline
from reports.table import read
from tests.reports import runs

SHIFT = 0.012


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same study before and after a change of the code that moved one arm."""
    folder = tmp_path_factory.mktemp("pair")
    before = runs.finished_ablation(name="before").write(folder)
    sketch = runs.finished_ablation(name="after")
    arm = next(entry["arm"] for entry in sketch.arms if entry["label"] == "expansion=6")
    for number, row in enumerate(row for row in sketch.trials if row["arm"] == arm):
        row["val_accuracy"] -= SHIFT + 0.0003 * number
    after = sketch.write(folder)
    environment = json.loads((after / "environment.json").read_text())
    environment["commit"] = "another"
    (after / "environment.json").write_text(json.dumps(environment))
    return before, after


def test_the_same_arms_are_paired_by_phase_and_seed(pair: tuple[Path, Path]) -> None:
    shared = across([read(run) for run in pair]).shared.set_index("label")
    frames = [pd.read_csv(run / "results.csv").set_index(["phase", "seed"]) for run in pair]
    arm = shared.at["expansion=6", "arm"]
    first, second = (frame.loc[frame["arm"] == arm, "val_accuracy"] for frame in frames)
    found = stats.ttest_rel(second, first.reindex(second.index))
    row = shared.loc["expansion=6"]
    assert row["effect"] == pytest.approx(np.mean(second - first))
    assert (row["low"], row["high"]) == pytest.approx(found.confidence_interval(0.95))
    assert row["p"] == pytest.approx(found.pvalue)
    assert (row["pairs"], row["identical"]) == (8, 0)
    others = shared.drop(index="expansion=6")
    assert (others["pairs"] == others["identical"]).all()


def test_the_headline_says_what_moved_and_what_agrees(pair: tuple[Path, Path]) -> None:
    said = headline(across([read(run) for run in pair])).replace("\u00a0", " ")
    assert said.startswith("8 arms of before are also in after: 1 moved detectably: expansion=6 (−1.3")
    assert said.endswith("44 of 52 shared trials agree to the last digit.")


def test_a_study_agrees_with_itself(pair: tuple[Path, Path]) -> None:
    found = across([read(pair[0]), read(pair[0])])
    assert "all with the same accuracy to the last digit" in headline(found)
    assert [study.name for study in found.studies] == ["before #1", "before #2"]
    assert found.circumstances.empty


def test_only_what_differs_is_listed(pair: tuple[Path, Path]) -> None:
    rows = across([read(run) for run in pair]).circumstances
    assert rows.to_dict("records") == [{"field": "commit", "before": "4d1f0c7a9be2", "after": "another"}]


def test_studies_without_a_common_arm_are_compared_as_groups(written: Callable[[str], Path]) -> None:
    found = across([read(written("search")), read(written("hostile"))])
    assert found.shared.empty
    assert "compared as groups" in headline(found)
    for name, curve in found.curves.groupby("study"):
        assert curve["error"].is_monotonic_increasing
        assert curve["share"].iloc[-1] == pytest.approx(1)
        means = next(s for s in found.studies if s.name == name).findings.arms["mean"].dropna()
        middle = curve["error"].iloc[len(curve) // 2]
        assert curve["share"].iloc[len(curve) // 2] == pytest.approx((1 - means <= middle + 1e-12).mean())


def test_several_runs_get_their_pages_and_one_that_compares_them(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*map(str, pair)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "comparison.html"
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    record = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert record["headline"] in page
    assert len(record["shared"]) == 8
    assert main([*map(str, pair), "--out", str(tmp_path / "there.html")]) == 0
    assert (tmp_path / "there.html").read_text(encoding="utf-8") == page


def test_markdown_is_printed_and_nothing_written(
    pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(pair[0]), "--format", "md"]) == 0
    one = capsys.readouterr().out
    assert one.startswith("## Does a wider expansion buy accuracy")
    assert "### Winner: " in one
    tables = [line for line in one.splitlines() if line.startswith("| ")]
    assert len({line.count(" | ") for line in tables[:8]}) == 1
    assert main([*map(str, pair), "--format", "md"]) == 0
    assert "8 arms of before are also in after" in capsys.readouterr().out.replace("\u00a0", " ")
    assert not list(tmp_path.iterdir())


def test_hostile_text_is_inert_in_markdown(written: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(written("hostile")), "--format", "md"]) == 0
    said = capsys.readouterr().out
    assert not re.search(r"(?<!\\)<(img|a |script|!--)", said)


def test_out_needs_several_runs(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(pair[0]), "--out", "x.html"])
    assert "--out names the page that compares several runs" in capsys.readouterr().err
