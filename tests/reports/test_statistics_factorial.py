"""Factorial experiments against statsmodels' formulas, its repeated-measures analysis, and scipy by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import AnovaRM, anova_lm

from reports.statistics import Factorial, Inestimable, Verdict, factorial

BASELINE = {"width": 8, "block": "basic", "deep": False, "twin": "8x"}
SUM = "(C(width, Sum) + C(block, Sum) + C(deep, Sum))"


def arms() -> pd.DataFrame:
    combinations = itertools.product([8, 16, 32], ["basic", "wide"], [False, True])
    return pd.DataFrame(combinations, columns=["width", "block", "deep"])


def experiment(seeds: int = 4, seed: int = 0, effect: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    arms = pd.DataFrame(
        itertools.product([8, 16, 32], ["basic", "wide"], [False, True]), columns=["width", "block", "deep"]
    )
    table = arms.merge(pd.DataFrame({"seed": range(seeds), "shared": random.normal(size=seeds)}), how="cross")
    noise = random.normal(size=len(table))
    return table.assign(score=table["shared"] + effect * (table["block"] == "wide") * (1 + table["deep"]) + noise)


def fitted(
    table: pd.DataFrame,
    factors: Sequence[str] = ("width", "block", "deep"),
    order: int = 2,
    fraction: bool = False,
    error: Literal["own", "pooled"] = "own",
) -> Factorial:
    return factorial(
        table, factors=factors, baseline=BASELINE, value="score", order=order, fraction=fraction, error=error
    )


def test_a_main_effect_is_the_paired_t_test_of_means_over_the_other_factors() -> None:
    table = experiment()
    for row in fitted(table).effects.query("order == 1 and term == 'width'").itertuples():
        means = table.pivot_table(index="seed", columns="width", values="score")
        expected = stats.ttest_rel(means[int(row.level)], means[8])
        assert row.effect == pytest.approx((means[int(row.level)] - means[8]).mean())
        assert row.p == pytest.approx(expected.pvalue)
        assert (row.low, row.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_an_interaction_is_the_paired_t_test_of_a_difference_of_differences() -> None:
    table = experiment()
    rows = fitted(table).effects.set_index(["term", "level"])
    cells = table.pivot_table(index="seed", columns=["width", "block"], values="score")
    for width in (16, 32):
        steps = cells[width, "wide"] - cells[8, "wide"] - cells[width, "basic"] + cells[8, "basic"]
        row = rows.loc[("width:block", f"{width}:wide")]
        assert row["effect"] == pytest.approx(steps.mean())
        assert row["p"] == pytest.approx(stats.ttest_1samp(steps, 0).pvalue)
        assert row["against"] == "8:basic"


def test_terms_are_those_of_the_analysis_of_variance_for_repeated_measures() -> None:
    table = experiment()
    terms = fitted(table, order=3).terms.set_index("term")
    expected = AnovaRM(table, "score", "seed", within=["width", "block", "deep"]).fit().anova_table
    assert terms.index.tolist() == expected.index.tolist()
    assert terms["f"].tolist() == pytest.approx(expected["F Value"].tolist())
    assert terms["freedom"].tolist() == expected["Num DF"].tolist()
    assert terms["error_freedom"].tolist() == expected["Den DF"].tolist()
    single = terms["freedom"] == 1
    assert terms.loc[single, "p"].tolist() == pytest.approx(expected.loc[single.to_numpy(), "Pr > F"].tolist())
    ratio = expected["F Value"] * expected["Num DF"]
    assert terms["eta_squared"].tolist() == pytest.approx((ratio / (ratio + expected["Den DF"])).tolist())


def test_epsilon_is_greenhouse_and_geissers() -> None:
    table = experiment(seeds=6)
    row = fitted(table).terms.set_index("term").loc["width"]
    s = table.pivot_table(index="seed", columns="width", values="score").cov().to_numpy()
    k = len(s)
    above = (k * (np.diag(s).mean() - s.mean())) ** 2
    below = (k - 1) * ((s**2).sum() - 2 * k * (s.mean(axis=1) ** 2).sum() + k**2 * s.mean() ** 2)
    assert row["epsilon"] == pytest.approx(above / below)
    degrees = row["epsilon"] * row["freedom"], row["epsilon"] * row["error_freedom"]
    assert row["p"] == pytest.approx(stats.f.sf(row["f"], *degrees))


def test_pooled_is_ordinary_least_squares_with_the_seed_as_block() -> None:
    table = experiment().drop(index=[3, 17])  # unbalanced, which statsmodels takes too
    ours = fitted(table, error="pooled")
    model = smf.ols(f"score ~ C(seed) + {SUM} ** 2", table).fit()
    expected = anova_lm(model, typ=3).drop(index=["Intercept", "C(seed)", "Residual"])
    assert ours.terms["f"].tolist() == pytest.approx(expected["F"].tolist())
    assert ours.terms["p"].tolist() == pytest.approx(expected["PR(>F)"].tolist())
    grid = pd.DataFrame(
        itertools.product([8, 16, 32], ["basic", "wide"], [False, True]), columns=["width", "block", "deep"]
    )
    means = grid.assign(score=model.predict(grid.assign(seed=0))).groupby("width")["score"].mean()
    rows = ours.effects.query("term == 'width'").set_index("level")
    assert rows["effect"].tolist() == pytest.approx([means[16] - means[8], means[32] - means[8]])


def test_pooled_main_effects_have_the_intervals_of_the_formula() -> None:
    table = experiment()
    rows = fitted(table, order=1, error="pooled").effects
    model = smf.ols("score ~ C(seed) + C(width) + block + deep", table).fit()
    names = ["C(width)[T.16]", "C(width)[T.32]", "block[T.wide]", "deep[T.True]"]
    assert rows["effect"].tolist() == pytest.approx(model.params[names].tolist())
    assert rows[["low", "high"]].to_numpy() == pytest.approx(model.conf_int().loc[names].to_numpy())
    assert rows["p"].tolist() == pytest.approx(model.pvalues[names].tolist())


def test_one_family_holds_main_effects_and_interactions() -> None:
    rows = fitted(experiment(effect=3.0)).effects
    smallest = rows["p"].idxmin()
    assert rows.loc[smallest, "p_holm"] == pytest.approx(min(1, rows.loc[smallest, "p"] * len(rows)))
    assert len(rows) == 4 + 5
    assert rows.set_index("term").loc["block", "effect"] == pytest.approx(4.5, abs=1.5)


def half_fraction() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = [(a, b, c, a * b * c, seed) for a, b, c in itertools.product((-1, 1), repeat=3) for seed in range(3)]
    table = pd.DataFrame(rows, columns=["a", "b", "c", "d", "seed"])
    return table.assign(score=random.normal(size=len(table)))


LOW = dict.fromkeys("abcd", -1)


def test_a_fraction_reports_its_aliases_and_fits_the_first_of_each() -> None:
    found = factorial(half_fraction(), factors=list("abcd"), baseline=LOW, value="score", fraction=True)
    assert {frozenset(group) for group in found.aliases} == {
        frozenset(["a:b", "c:d"]), frozenset(["a:c", "b:d"]), frozenset(["a:d", "b:c"])
    }  # fmt: skip
    assert found.terms["term"].tolist() == ["a", "b", "c", "d", "a:b", "a:c", "a:d"]
    row = found.effects.set_index("term").loc["a"]
    means = half_fraction().pivot_table(index="seed", columns="a", values="score")
    assert row["p"] == pytest.approx(stats.ttest_rel(means[1], means[-1]).pvalue)


def test_what_is_no_fraction_by_intention_is_refused_with_the_terms_that_it_confuses() -> None:
    with pytest.raises(Inestimable, match="b:c can't be told from a:d"):
        factorial(half_fraction(), factors=list("abcd"), baseline=LOW, value="score")


def test_an_unbalanced_fraction_is_the_formulas_fit() -> None:
    table = experiment()
    table = table[~((table["width"] == 32) & table["deep"] & (table["block"] == "wide"))]
    rows = fitted(table, order=1).effects
    model = smf.ols("score ~ C(seed) + C(width) + block + deep", table).fit()
    names = ["C(width)[T.16]", "C(width)[T.32]", "block[T.wide]", "deep[T.True]"]
    assert rows["effect"].tolist() == pytest.approx(model.params[names].tolist())


def test_empty_cells_are_named() -> None:
    table = experiment()
    table = table[~((table["width"] == 32) & (table["block"] == "wide"))]
    with pytest.raises(Inestimable, match="width:block can't be estimated: no arm has width 32 with block wide"):
        fitted(table)
    assert fitted(table, order=1).effects["p"].notna().all()


def test_an_arm_that_never_succeeded_is_an_empty_cell() -> None:
    table = experiment()
    table.loc[(table["width"] == 32) & (table["block"] == "wide"), "score"] = np.nan
    with pytest.raises(Inestimable, match="no arm has width 32 with block wide"):
        fitted(table)


def test_linked_factors_are_named_together() -> None:
    table = experiment().assign(twin=lambda rows: rows["width"].astype(str) + "x")
    found = fitted(table, factors=("width", "block", "deep", "twin"))
    assert found.linked == (("width", "twin"),)
    assert found.terms["term"].tolist()[0] == "width & twin"
    assert "(width & twin):block" in found.terms["term"].tolist()
    assert found.effects["level"].tolist()[:2] == ["16 & 16x", "32 & 32x"]
    plain = fitted(experiment())
    assert found.effects["effect"].tolist() == pytest.approx(plain.effects["effect"].tolist())


def test_a_seed_with_a_failure_is_left_out_and_nothing_is_detected() -> None:
    table = experiment(seeds=6, effect=50.0)
    table.loc[(table["seed"] == 2) & (table["width"] == 8) & table["deep"], "score"] = np.nan
    rows = fitted(table).effects.set_index("term")
    kept = fitted(table[table["seed"] != 2]).effects.set_index("term")
    assert (rows.loc["block", "pairs"], rows.loc["block", "planned"]) == (5, 6)
    assert rows.loc["block", "effect"] == pytest.approx(kept.loc["block", "effect"])
    assert rows.loc["block", "verdict"] == Verdict.SUGGESTIVE
    assert kept.loc["block", "verdict"] == Verdict.DETECTED


@pytest.mark.parametrize("error", ["own", "pooled"])
@settings(deadline=None, max_examples=3)
@given(shift=st.floats(-10, 10), seed=st.integers(0, 3))
def test_a_seed_that_moves_all_arms_moves_no_effect(error: Literal["own", "pooled"], shift: float, seed: int) -> None:
    table = experiment()
    moved = table.assign(score=table["score"] + shift * (table["seed"] == seed)).sample(frac=1, random_state=0)
    moved = moved.sort_values(["width", "block", "deep"], kind="stable")
    before, after = (fitted(own, error=error).effects for own in (table, moved))
    assert after["effect"].tolist() == pytest.approx(before["effect"].tolist(), abs=1e-9)
    assert after["p"].tolist() == pytest.approx(before["p"].tolist(), abs=1e-6)


def test_one_seed_and_no_variation_have_no_verdict() -> None:
    table = experiment(seeds=1)
    assert (fitted(table).effects["verdict"] == Verdict.NONE).all()
    assert fitted(table).terms["p"].isna().all()
    assert fitted(table, error="pooled").effects["p"].notna().all()  # the third-order terms are its residual
    still = experiment().assign(score=lambda rows: rows["seed"] + rows["deep"])
    for error in ("own", "pooled"):
        assert (fitted(still, error=error).effects["verdict"] == Verdict.NONE).all()


def test_what_is_wrong_with_a_table_is_said() -> None:
    table = experiment()
    with pytest.raises(ValueError, match=r"width 8, block basic, deep False has more than one row for seed 0"):
        fitted(pd.concat([table, table]))
    with pytest.raises(Inestimable, match="block has one level, basic"):
        fitted(table[table["block"] == "basic"])
    with pytest.raises(ValueError, match="the baseline's level of width is not in the table: 8"):
        fitted(table[table["width"] != 8])
    with pytest.raises(ValueError, match="a term names 'colour'"):
        factorial(table, factors=["width", "block", "deep"], baseline=BASELINE, value="score", terms=[["colour"]])
    with pytest.raises(ValueError, match="'score' is infinite at width 8, block basic, deep False, seed 0"):
        fitted(table.assign(score=np.where(table.index == 0, np.inf, table["score"])))
