"""The declared comparisons, recomputed from results.csv by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reports.comparisons import comparisons
from reports.table import Table, read
from tests.reports import runs


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
    distinct = rows[~rows["same"]]
    assert len(distinct) == 7
    assert distinct["p_holm"].tolist() == pytest.approx(multipletests(distinct["p"], method="holm")[1])


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
    assert rows["at"].tolist() == ["raw", "matched"] * 4
    assert rows["gap"].tolist()[1::2] == pytest.approx([0.022, -0.031, -0.021, 0.0137])
    assert rows["macs"].iloc[4] == pytest.approx(334 / 226 - 1)


def test_an_arm_within_the_tolerance_is_its_own_twin(table: Callable[[str], Table]) -> None:
    raw, matched = comparisons(table("ablation")).iloc[6:].to_dict("records")
    assert matched["same"]
    assert raw["arm"] == matched["arm"]
    assert raw["p_holm"] == matched["p_holm"]


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


def test_a_main_effect_is_the_mean_over_the_other_factors_settings(
    table: Callable[[str], Table], written: Callable[[str], Path]
) -> None:
    run, wide = table("factorial"), accuracies(written("factorial"))
    arm = {
        (row.expansion, row.depth): name for name, row in zip(run.levels.index, run.levels.itertuples(), strict=True)
    }
    row = comparisons(run).set_index("change").loc["depth 1 → 3"]
    per_seed = np.mean([wide[arm[e, "3"]] - wide[arm[e, "1"]] for e in ("2", "4")], axis=0)
    expected = stats.ttest_1samp(per_seed, 0)
    assert row["effect"] == pytest.approx(per_seed.mean())
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["macs"] == pytest.approx(2.0)
    assert comparisons(run)["change"].tolist() == ["expansion 4 → 2", "depth 1 → 2", "depth 1 → 3"]


@pytest.mark.parametrize("name", ["search", "train"])
def test_designs_that_declare_nothing_compare_nothing(name: str, table: Callable[[str], Table]) -> None:
    assert comparisons(table(name)).empty


def test_a_twin_that_was_rejected_is_no_comparison(tmp_path: Path) -> None:
    sketch = runs.ablation(name="twinless")
    sketch.arms[2].update(status="rejected", reason="params over the constraint")
    rows = comparisons(read(runs.run_all(sketch).write(tmp_path)))
    assert rows["note"].iloc[1] == "the twin is rejected: params over the constraint"
    assert rows["pairs"].iloc[1] == 0
