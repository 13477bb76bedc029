"""The declared comparisons, recomputed from results.csv by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reports.comparisons import comparisons, why_no_verdict
from reports.findings import find
from reports.page import build
from reports.table import Table, read
from tests.reports import runs
from tests.reports.conftest import SKETCHES


def accuracies(folder: Path) -> pd.DataFrame:
    """Returns validation accuracy of the explore phase, a row a seed and a column an arm, from the file alone."""
    raw = pd.read_csv(folder / "results.csv", keep_default_na=False)
    raw = raw[(raw["phase"] == "explore") & (raw["status"] == "completed")]
    return raw.assign(value=raw["val_accuracy"].astype(float)).pivot(index="seed", columns="arm", values="value")


@pytest.mark.parametrize("name", ["ablation", "broken", "list", "unfinished"])
def test_every_effect_is_that_of_the_results_file(
    name: str, table: Callable[[str], Table], written: Callable[[str], Path]
) -> None:
    run, wide = table(name), accuracies(written(name))
    made = comparisons(run).dropna(subset=["p"])
    assert len(made)
    for row in made.itertuples():
        both = wide[[row.arm, run.baseline]].dropna()
        expected = stats.ttest_rel(both[row.arm], both[run.baseline])
        interval = expected.confidence_interval(0.95)
        assert row.effect == pytest.approx(float((both[row.arm] - both[run.baseline]).mean()))
        assert (row.low, row.high, row.p) == pytest.approx((interval.low, interval.high, expected.pvalue))
        assert row.pairs == len(both)


def test_the_family_is_every_distinct_comparison_raw_and_matched(table: Callable[[str], Table]) -> None:
    rows = comparisons(table("ablation"))
    assert len(rows) == 7
    assert rows["p_holm"].tolist() == pytest.approx(multipletests(rows["p"], method="holm")[1])


def test_a_declared_family_that_is_larger_counts(tmp_path: Path) -> None:
    sketch = runs.run_all(runs.ablation(name="larger"))
    sketch.family = 20
    rows = comparisons(read(sketch.write(tmp_path)))
    assert rows["p_holm"].min() == pytest.approx(20 * rows["p"].min())


def test_comparisons_come_in_the_studys_order_raw_before_matched(table: Callable[[str], Table]) -> None:
    rows = comparisons(table("ablation"))
    assert rows["change"].tolist()[::2] == [
        "expansion 4 → 1",
        "expansion 4 → 2",
        "expansion 4 → 6",
        "attention none → se",
    ]
    assert rows["at"].tolist() == [*["raw", "matched"] * 3, "raw"]
    assert rows["gap"].dropna().tolist() == pytest.approx([0.022, -0.031, -0.021, 0.0137])
    assert rows["macs"].iloc[4] == pytest.approx(334 / 226 - 1)


def test_an_arm_within_the_tolerance_is_compared_once(table: Callable[[str], Table]) -> None:
    rows = comparisons(table("ablation"))
    (row,) = rows[rows["change"] == "attention none → se"].to_dict("records")
    assert (row["at"], row["same"], row["gap"]) == ("raw", True, 0.0137)
    assert not rows.loc[rows["change"] != "attention none → se", "same"].any()


@pytest.mark.parametrize("name", ["factorial", "ablation", "list"])
def test_a_duplicate_of_the_baseline_is_listed_and_changes_nothing(name: str, tmp_path: Path) -> None:
    sketch = SKETCHES[name]()
    plain = find(read(sketch.write(tmp_path / "plain")))
    base = sketch.arms[0]
    repeated = {"label": "again", "status": "duplicate", "reason": "the same configuration as baseline"}
    sketch.arms.append({**base, **repeated})
    again = find(read(sketch.write(tmp_path / "again")))
    assert (again.counts.arms["duplicate"], again.counts.listed) == (1, len(sketch.arms))
    assert again.counts.adds_up
    assert "again" in again.counts.reasons["subject"].tolist()
    assert again.table.entry(base["arm"])["label"] == base["label"]
    pd.testing.assert_frame_equal(again.arms, plain.arms)
    made = again.comparisons.dropna(subset=["effect"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(made, plain.comparisons, check_dtype=False)
    build(tmp_path / "again" / sketch.name)


def test_a_duplicate_before_the_arm_it_repeats_does_not_take_its_place(tmp_path: Path) -> None:
    sketch = runs.factorial()
    sketch.arms.insert(3, {**sketch.arms[-1], "status": "duplicate", "reason": "the same configuration"})
    table = read(sketch.write(tmp_path))
    assert table.arms["status"].tolist().count("run") == 6
    assert table.entry(sketch.arms[-1]["arm"])["status"] == "run"


def test_one_seed_gives_a_difference_without_a_verdict(table: Callable[[str], Table]) -> None:
    rows = comparisons(table("one seed"))
    assert rows["effect"].notna().all()
    assert rows[["low", "high", "p", "detectable"]].isna().all(axis=None)
    assert (rows["verdict"] == "no verdict").all()
    assert [why_no_verdict(row) for row in rows.to_dict("records")] == ["one seed: no interval"] * 7


def test_what_could_not_be_compared_says_why(table: Callable[[str], Table]) -> None:
    notes = comparisons(table("broken"))["note"].tolist()
    assert "rejected: macs 912,000 is over the constraint 500,000" in notes
    assert "duplicate: the same network as the baseline" in notes
    assert "unmatched: the smallest gap to be had is 8.1%, over the tolerance of 5%" in notes
    assert {"2 diverged", "1 failed", "1 stopped"} <= set(notes)


def test_incomplete_arms_are_never_detected(table: Callable[[str], Table]) -> None:
    for name in ("broken", "unfinished", "failed", "empty"):
        rows = comparisons(table(name))
        incomplete = rows[rows["pairs"] < rows["planned"]]
        assert len(incomplete)
        assert not incomplete["verdict"].isin(["detected", "equivalent"]).any()


@pytest.mark.parametrize("name", ["search", "train"])
def test_designs_that_declare_nothing_compare_nothing(name: str, table: Callable[[str], Table]) -> None:
    assert comparisons(table(name)).empty


def test_a_twin_that_was_rejected_is_no_comparison(tmp_path: Path) -> None:
    sketch = runs.ablation(name="twinless")
    sketch.arms[2].update(status="rejected", reason="params over the constraint")
    rows = comparisons(read(runs.run_all(sketch).write(tmp_path)))
    assert rows["note"].iloc[1] == "the twin is rejected: params over the constraint"
    assert rows["pairs"].iloc[1] == 0


def test_a_part_that_is_added_to_the_bare_recipe_is_held_against_that(tmp_path: Path) -> None:
    full = {"mixup": "0.2", "cosine": "on", "smoothing": "0.1"}
    sketch = runs.Sketch("parts", "leave_one_out", {name: ["off"] for name in full}, full, [0, 1, 2, 3])
    sketch.arm({}, 0.96, 100_000)
    for left in ([*full], [], *([name] for name in full)):  # without each part; then the bare one and each part alone
        for off in [[name] for name in left] if len(left) == 3 else [[name for name in full if name not in left]]:
            sketch.arm(dict.fromkeys(off, "off"), 0.95 - 0.01 * len(off), 100_000)
    folder = runs.run_all(sketch).write(tmp_path)
    wide, rows, entries = accuracies(folder), comparisons(read(folder)), sketch.arms
    bare = next(entry["arm"] for entry in entries if set(entry["levels"].values()) == {"off"})
    assert rows["change"].tolist() == [
        *(f"without {name}" for name in full),
        "every part off",
        *(f"{name} added to bare" for name in full),
    ]
    assert rows["against"].tolist() == [entries[0]["arm"]] * 4 + [bare] * 3
    for row in rows.itertuples():
        assert row.effect == pytest.approx((wide[row.arm] - wide[row.against]).mean())
    assert "is held against the bare recipe" in build(folder).read_text()
