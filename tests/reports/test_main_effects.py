"""Main effects of factorials by hand: at their own and at equal cost, and what is left where arms are lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.answer import answer
from reports.comparisons import comparisons, interactions
from reports.findings import find
from reports.lost import called, some
from reports.model import model
from reports.planned import planned_effects
from reports.table import Table, read
from tests.reports import runs
from tests.reports.test_comparisons import accuracies


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


def test_a_main_effect_at_equal_cost_holds_twins_against_twins(table: Callable[[str], Table]) -> None:
    run = table("matched factorial")
    wide = accuracies(run.folder)
    twin = {tuple(run.levels.loc[arm]): run.arms.at[arm, "twin"] for arm in run.arms.index[run.arms["match"] == "none"]}
    rows = comparisons(run).set_index(["change", "at"])
    pairs = [(twin["2", depth], twin["4", depth]) for depth in ("1", "2")]  # the third setting has no twin
    per_seed = np.mean([wide[own] - wide[base] for own, base in pairs], axis=0)
    row = rows.loc[("expansion 4 → 2", "matched")]
    assert row["effect"] == pytest.approx(per_seed.mean())
    assert row["p"] == pytest.approx(stats.ttest_1samp(per_seed, 0).pvalue)
    costs = run.arms["macs"]
    assert row["gap"] == pytest.approx(stats.gmean([costs[own] / costs[base] for own, base in pairs]) - 1)
    assert "without expansion=2, depth=3, which is unmatched" in row["note"]
    # One family: three main effects, each twice, and two interactions.
    assert rows.loc[("depth 1 → 3", "matched"), "p_holm"] == pytest.approx(8 * rows["p"].min())


def test_at_equal_cost_nothing_may_be_left_of_a_change(tmp_path: Path) -> None:
    sketch = runs.factorial()
    sketch.match = "macs"
    for entry in sketch.arms:  # the widths of either expansion at equal cost are the same networks
        entry["twin"] = next(each["arm"] for each in sketch.arms if each["levels"]["depth"] == entry["levels"]["depth"])
    rows = comparisons(read(sketch.write(tmp_path))).set_index(["change", "at"])
    row = rows.loc[("expansion 4 → 2", "matched")]
    assert row["note"] == "nothing is left of it: both levels have the same networks"
    assert row["verdict"] is None
    assert rows.loc[("depth 1 → 3", "matched"), "pairs"] == 4


@pytest.mark.parametrize("name", ["factorial", "matched factorial", "linked", "fraction"])
def test_what_is_planned_is_what_the_page_compares(name: str, table: Callable[[str], Table]) -> None:
    run = table(name)
    cells = run.arms.index[run.arms["match"] == "none"]
    twins = None
    if run.design.match is not None:
        twins = {arm: str(run.arms.at[arm, "twin"]) for arm in cells if run.arms.at[arm, "twin"] is not None}
    planned = planned_effects(
        run.levels.loc[cells].T.to_dict(),
        run.baseline,
        [(factor.name, factor.columns, factor.same_as) for factor in run.factors],
        run.design.fraction or {},
        twins,
    )
    rows = comparisons(run)
    assert len(planned.effects) == (rows["at"] == "raw").sum()
    assert planned.matched == (rows["at"] == "matched").sum()
    assert planned.interactions == len(interactions(run))
    settings = [4 if name == "fraction" else int(re.search(r"of (\d)", note)[1]) for note in rows["note"][:1]]  # type: ignore[index]
    assert planned.effects[0][1] == pytest.approx(settings[0] ** -0.5 * (2**0.5 if name == "fraction" else 1))


def diverged(table_of: runs.Sketch, *labels: str, seeds: int = 99) -> runs.Sketch:
    """Lets arms of a sketch diverge, by their labels, with their first seeds."""
    arms = {entry["arm"] for entry in table_of.arms if entry["label"] in labels}
    for row in table_of.trials:
        if row["arm"] in arms and row["seed"] < seeds:
            row.update(status="diverged", reason="nan", val_accuracy="")
    return table_of


def test_a_level_that_diverges_takes_no_other_effect_with_it(table: Callable[[str], Table]) -> None:
    run = table("lost factorial")
    rows, wide = comparisons(run).set_index("change"), accuracies(run.folder)
    arm = {tuple(levels): name for name, levels in zip(run.levels.index, run.levels.to_numpy(), strict=True)}
    kept = [wide[arm["2", rate]] - wide[arm["4", rate]] for rate in ("0.1", "0.3", "1.0")]
    assert rows.loc["expansion 4 → 2", "effect"] == pytest.approx(np.mean(kept))
    assert rows["note"].tolist()[0] == (
        "mean of 3 of 4 settings of the other factors, without rate=10.0, which diverged"
    )
    assert rows.loc["rate 0.1 → 10.0", "note"] == "nothing to compare without rate=10.0, which diverged"
    assert rows["pairs"].tolist() == [5, 5, 5, 0]
    assert "detected" in set(rows["verdict"])


def test_an_arm_that_diverges_at_one_level_alone_keeps_its_setting_from_counting(tmp_path: Path) -> None:
    sketch = diverged(runs.factorial(), "expansion=4, depth=3")
    rows = comparisons(read(sketch.write(tmp_path))).set_index("change")
    assert rows.loc["expansion 4 → 2", "verdict"] in ("suggestive", "not detected")
    assert rows.loc["expansion 4 → 2", "pairs"] == 4
    assert "diverged on one side alone" in rows.loc["expansion 4 → 2", "note"]
    assert rows.loc["depth 1 → 2", "note"] == "mean of 2 settings of the other factors"
    refused = model(read(tmp_path / sketch.name))
    assert refused is not None
    assert refused.refusal == (
        "expansion:depth can't be estimated: no arm has expansion 4 with depth 3; lost: expansion=4, depth=3 (4 of 4 "
        "trials)"
    )


def test_what_was_lost_is_called_by_its_level_among_the_arms_of_the_effect(tmp_path: Path) -> None:
    table = read(runs.lost_factorial(("4", "2", "1")).write(tmp_path))
    notes = comparisons(table).set_index("change")["note"]
    for level in ("2", "1"):
        said = "mean of 3 of 4 settings of the other factors, without rate=10.0, which diverged"
        assert notes[f"expansion 4 → {level}"] == said
    own = table.arms.index[table.arms["label"].isin(["expansion=2, rate=0.3", "expansion=2, rate=10.0"])]
    assert some(called(table, own)) == "expansion=2, rate=0.3; and expansion=2, rate=10.0"


def test_one_lost_seed_is_a_lost_pair_and_says_of_what(tmp_path: Path) -> None:
    rows = comparisons(read(diverged(runs.factorial(), "expansion=2, depth=3", seeds=1).write(tmp_path)))
    rows = rows.set_index("change")
    assert rows["pairs"].tolist() == [3, 4, 3]
    assert rows.loc["depth 1 → 3", "note"] == "1 diverged, mean of 2 settings of the other factors"


def test_a_fraction_is_fitted_to_the_cells_that_are_left_or_says_that_it_cannot(tmp_path: Path) -> None:
    rows = comparisons(read(diverged(runs.fraction(), "gelu=on, deep=on").write(tmp_path)))
    assert rows["effect"].isna().all()
    assert set(rows["note"]) == {
        "nothing to compare: the cells that are left, without gelu=on, deep=on, which diverged, do not tell it"
    }


def test_where_the_baseline_is_lost_the_answer_says_so(tmp_path: Path) -> None:
    runs_of = runs.run_all(runs.ablation(name="lost_baseline"))
    folder = diverged(runs_of, "baseline").write(tmp_path)
    headline = answer(find(read(folder))).headline.replace("\u00a0", " ")
    assert headline == "No comparison can be made: of the baseline’s 5 trials 5 diverged."
