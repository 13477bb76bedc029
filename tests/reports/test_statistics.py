"""The statistics against scipy and statsmodels, which get there by other ways."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from reports.statistics import Verdict, detectable, effects, group_means, holm, paired, standardised


def measurements(seeds: int = 5, arms: int = 4, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    shared = random.normal(0, 0.004, seeds)
    return pd.DataFrame(
        {"arm": f"arm{arm}", "seed": number, "accuracy": 0.95 + 0.004 * arm + shared[number] + random.normal(0, 0.002)}
        for arm in range(arms)
        for number in range(seeds)
    )


def of(table: pd.DataFrame, arm: str) -> np.ndarray:
    return table.loc[table["arm"] == arm, "accuracy"].to_numpy()


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_an_effect_is_scipys_paired_t_test(seeds: int) -> None:
    table = measurements(seeds)
    for row in effects(table, baseline="arm0", by="arm", value="accuracy").itertuples():
        expected = stats.ttest_rel(of(table, row.arm), of(table, "arm0"))
        interval = expected.confidence_interval(0.95)
        assert row.p == pytest.approx(expected.pvalue)
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
        assert row.effect == pytest.approx(np.mean(of(table, row.arm)) - np.mean(of(table, "arm0")))
        assert (row.pairs, row.planned) == (seeds, seeds)


def test_an_effect_is_the_coefficient_of_a_model_with_the_seed_as_block() -> None:
    table = measurements()
    two = table[table["arm"].isin(["arm0", "arm2"])]
    model = smf.ols("accuracy ~ arm + C(seed)", two).fit()
    row = effects(two, baseline="arm0", by="arm", value="accuracy").iloc[0]
    assert row["effect"] == pytest.approx(model.params["arm[T.arm2]"])
    assert row["p"] == pytest.approx(model.pvalues["arm[T.arm2]"])
    assert [row["low"], row["high"]] == pytest.approx(list(model.conf_int().loc["arm[T.arm2]"]))


def test_the_correction_is_holms() -> None:
    table = measurements(arms=7)
    frame = effects(table, baseline="arm0", by="arm", value="accuracy")
    assert frame["p_holm"].tolist() == pytest.approx(multipletests(frame["p"], method="holm")[1])


def test_comparisons_not_yet_made_count_in_the_family() -> None:
    p = pd.Series([0.01, np.nan, 0.02, 0.4])
    expected = multipletests([0.01, 0.02, 0.4, 1, 1, 1], method="holm")[1]
    corrected = holm(p, family=6)
    assert corrected.dropna().tolist() == pytest.approx(expected[:3])
    assert corrected.isna().tolist() == [False, True, False, False]
    with pytest.raises(ValueError, match="a family of 2 cannot hold 3"):
        holm(p, family=2)


def test_equivalence_is_statsmodels_tost() -> None:
    table = measurements(arms=3)
    for row in effects(table, baseline="arm0", by="arm", value="accuracy", margin=0.01).itertuples():
        assert row.p_equivalence == pytest.approx(ttost_paired(of(table, row.arm), of(table, "arm0"), -0.01, 0.01)[0])


@pytest.mark.parametrize("pairs", [2, 3, 4, 5, 8, 20, 100])
def test_the_detectable_effect_has_the_power_it_claims(pairs: int) -> None:
    smallest = detectable(pd.Series([0.5]), pd.Series([pairs])).item()
    critical, shift = stats.t.ppf(0.975, pairs - 1), smallest / 0.5 * np.sqrt(pairs)

    def found(scatter: float) -> float:
        # Integrated over the estimated standard deviation, for scipy.stats.nct is not defined all over at one degree.
        likely = stats.chi(pairs - 1, scale=1 / np.sqrt(pairs - 1)).pdf(scatter)
        return float(likely * (stats.norm.sf(critical * scatter - shift) + stats.norm.cdf(-critical * scatter - shift)))

    edges = np.arange(0, 8, 0.25)
    power = sum(integrate.quad(found, edge, edge + 0.25)[0] for edge in edges)
    assert power == pytest.approx(0.8, abs=1e-6)


def test_what_is_detectable_in_a_family_is_tested_at_its_strictest_level() -> None:
    frame = paired(pd.DataFrame({"a": [0.01, 0.02, 0.04], "b": [0.01, 0.0, -0.02]}), planned=3, family=10)
    assert frame["detectable"].tolist() == pytest.approx(detectable(frame["sd"], frame["pairs"], 0.005).tolist())
    assert (frame["detectable"] > detectable(frame["sd"], frame["pairs"])).all()


@pytest.mark.parametrize("pairs", [2, 3, 5, 10])
def test_a_strict_level_has_the_power_it_claims(pairs: int) -> None:
    random = np.random.default_rng(3)
    shift = detectable(pd.Series([1.0]), pd.Series([pairs]), 0.05 / 20).item()
    samples = random.normal(shift, 1, (200_000, pairs))
    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / np.sqrt(pairs))
    assert (np.abs(t) > stats.t.ppf(1 - 0.025 / 20, pairs - 1)).mean() == pytest.approx(0.8, abs=0.005)


def test_means_and_intervals_are_scipys() -> None:
    table = measurements()
    for arm, row in group_means(table, by="arm", value="accuracy").iterrows():
        values = of(table, str(arm))
        interval = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
        assert (row["n"], row["mean"], row["sd"]) == pytest.approx((5, np.mean(values), np.std(values, ddof=1)))
        assert (row["low"], row["high"]) == pytest.approx(interval)


def test_one_seed_has_a_mean_and_no_interval() -> None:
    frame = group_means(measurements(seeds=1), by="arm", value="accuracy")
    assert frame["mean"].notna().all()
    assert frame[["low", "high", "sd"]].isna().all(axis=None)


def test_an_incomplete_arm_uses_the_pairs_complete_in_both_and_is_never_detected() -> None:
    table = measurements(seeds=6)
    lost = ((table["arm"] == "arm3") & (table["seed"] == 1)) | ((table["arm"] == "arm0") & (table["seed"] == 2))
    table.loc[lost, "accuracy"] = np.nan
    row = effects(table, baseline="arm0", by="arm", value="accuracy", margin=0.1).set_index("arm").loc["arm3"]
    kept = [0, 3, 4, 5]
    expected = stats.ttest_rel(of(table, "arm3")[kept], of(table, "arm0")[kept])
    assert (row["pairs"], row["planned"]) == (4, 6)
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["p_holm"] < 0.05
    assert row["p_equivalence"] < 0.05
    assert row["verdict"] == Verdict.SUGGESTIVE


def test_differences_that_do_not_vary_get_no_verdict() -> None:
    table = pd.DataFrame(
        {"arm": ["a"] * 3 + ["b"] * 3, "seed": [0, 1, 2] * 2, "accuracy": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    )
    row = effects(table, baseline="a", by="arm", value="accuracy").iloc[0]
    assert row["effect"] == pytest.approx(0.3)
    assert np.isnan(row["p"])
    assert row["verdict"] == Verdict.NONE


@pytest.mark.parametrize(
    ("differences", "margin", "verdict"),
    [
        ([0.010, 0.011, 0.012, 0.010, 0.011], None, Verdict.DETECTED),
        ([0.001, 0.004, 0.006, 0.002, 0.005], None, Verdict.SUGGESTIVE),
        ([0.001, -0.001, 0.0005, 0.0, -0.0004], 0.005, Verdict.EQUIVALENT),
        ([0.001, -0.001, 0.0005, 0.0, -0.0004], None, Verdict.NOT_DETECTED),
        ([0.001, 0.004, 0.006, 0.002, 0.005], 0.02, Verdict.EQUIVALENT),
        ([0.010, 0.011, 0.012, 0.010, 0.011], 0.02, Verdict.DETECTED),
    ],
)
def test_verdicts(differences: list[float], margin: float | None, verdict: Verdict) -> None:
    frame = paired(pd.DataFrame({"change": differences}), planned=5, family=10, margin=margin)
    assert frame["verdict"].item() == verdict


def test_what_is_wrong_with_a_table_is_said() -> None:
    table = measurements()
    with pytest.raises(ValueError, match="no column 'colour'"):
        effects(table, baseline="arm0", by="colour", value="accuracy")
    with pytest.raises(ValueError, match="baseline 'arm9' is not in"):
        effects(table, baseline="arm9", by="arm", value="accuracy")
    with pytest.raises(ValueError, match="arm arm0 has more than one row for seed 0"):
        effects(pd.concat([table, table]), baseline="arm0", by="arm", value="accuracy")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0.5, 2))
def test_turning_the_comparison_round_changes_only_the_sign(values: list[float], factor: float) -> None:
    frame = pd.DataFrame({"there": values, "back": [-value for value in values]})
    there, back = (paired(frame[[name]] * factor, planned=len(values)).iloc[0] for name in ("there", "back"))
    assert there["effect"] == -back["effect"]
    assert (there["p"] == back["p"]) or (np.isnan(there["p"]) and np.isnan(back["p"]))
    assert there["verdict"] == back["verdict"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 20))
def test_corrected_p_values_keep_their_order_and_never_shrink(p: list[float], more: int) -> None:
    plain = pd.Series(p)
    corrected = holm(plain, len(p) + more)
    assert (corrected >= plain).all()
    assert (corrected <= 1).all()
    assert corrected[plain.sort_values(kind="stable").index].is_monotonic_increasing


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_standardised_effect_is_hedges_with_the_interval_of_the_noncentral_t(seeds: int) -> None:
    table = measurements(seeds)
    row = effects(table, baseline="arm0", by="arm", value="accuracy").set_index("arm").loc["arm1"]
    ratio = row["effect"] / row["sd"]
    # The correction takes away the bias: of a t with noncentrality c, scipy's mean over c.
    bias = stats.nct.mean(seeds - 1, 1.0)
    assert row["standardised"] == pytest.approx(ratio / bias)
    t = ratio * np.sqrt(seeds)
    low, high = row["standardised_low"], row["standardised_high"]
    assert stats.nct.sf(t, seeds - 1, low * np.sqrt(seeds)) == pytest.approx(0.025, abs=1e-5)
    assert stats.nct.cdf(t, seeds - 1, high * np.sqrt(seeds)) == pytest.approx(0.025, abs=1e-5)


def test_thousands_of_standardised_effects_are_those_of_a_few() -> None:
    random = np.random.default_rng(0)
    frame = paired(pd.DataFrame(random.standard_t(2, (4, 1000)) + 1), planned=4)
    columns = ["standardised", "standardised_low", "standardised_high"]
    few = standardised(frame["effect"][:100], frame["sd"][:100], frame["pairs"][:100])
    assert frame.loc[:99, columns].to_numpy() == pytest.approx(few.to_numpy(), rel=1e-4, abs=1e-4)


def test_two_pairs_have_no_standardised_effect() -> None:
    assert paired(pd.DataFrame({"a": [0.1, 0.2]}), planned=2)["standardised"].isna().all()


def test_an_effect_inside_the_margin_may_be_detected_and_both_are_said() -> None:
    differences = pd.DataFrame({"small": [0.010, 0.011, 0.012, 0.010, 0.011], "large": [0.1, 0.11, 0.12, 0.1, 0.11]})
    frame = paired(differences, planned=5, margin=0.02)
    assert frame["verdict"].tolist() == [Verdict.DETECTED] * 2
    assert frame["within_margin"].tolist() == [True, False]
    assert not paired(differences, planned=6, margin=0.02)["within_margin"].any()
    assert not paired(differences, planned=5)["within_margin"].any()


@settings(deadline=None, max_examples=10)
@given(st.floats(-5, 5), st.integers(0, 4), st.integers(0, 100))
def test_a_seed_that_moves_all_arms_and_the_order_of_rows_are_nothing(shift: float, seed: int, order: int) -> None:
    table = measurements()
    moved = table.assign(accuracy=table["accuracy"] + shift * (table["seed"] == seed))
    moved = moved.sample(frac=1, random_state=order)
    before, after = (
        effects(own, baseline="arm0", by="arm", value="accuracy").set_index("arm") for own in (table, moved)
    )
    numbers = ["effect", "low", "high", "p", "p_holm"]
    assert after.loc[before.index, numbers].to_numpy() == pytest.approx(before[numbers].to_numpy(), abs=1e-9)


def test_rounding_is_no_effect() -> None:
    table = pd.DataFrame({"arm": ["a"] * 3 + ["b"] * 3, "seed": [0, 1, 2] * 2, "accuracy": [0.3, 0.6, 0.7] * 2})
    table.loc[3:, "accuracy"] = [0.1 + 0.2, 0.1 * 6, 0.1 * 7]
    row = effects(table, baseline="a", by="arm", value="accuracy").iloc[0]
    assert (row["effect"], row["verdict"]) == (0, Verdict.NONE)


def test_values_that_are_no_numbers_and_keys_with_holes_are_refused() -> None:
    table = measurements()
    with pytest.raises(ValueError, match="'accuracy' is infinite at arm arm0, seed 0"):
        effects(table.replace(table["accuracy"].iloc[0], np.inf), baseline="arm0", by="arm", value="accuracy")
    with pytest.raises(ValueError, match="'arm' has a missing value"):
        effects(table.assign(arm=table["arm"].where(table["seed"] > 0)), baseline="arm0", by="arm", value="accuracy")
    with pytest.raises(ValueError, match="'accuracy' holds str, not numbers"):
        effects(table.assign(accuracy="high"), baseline="arm0", by="arm", value="accuracy")
    with pytest.raises(ValueError, match="a margin is a positive number, not 0"):
        effects(table, baseline="arm0", by="arm", value="accuracy", margin=0)
    with pytest.raises(ValueError, match="a difference is infinite"):
        paired(pd.DataFrame({"a": [0.1, -np.inf]}), planned=2)


def test_ten_thousand_arms_take_well_under_a_second() -> None:
    random = np.random.default_rng(0)
    arms = pd.MultiIndex.from_product([range(10_001), range(5)], names=["arm", "seed"])
    table = pd.DataFrame({"accuracy": random.normal(size=len(arms))}, index=arms).reset_index()
    effects(table[table["arm"] < 3], baseline=0, by="arm", value="accuracy")  # what is made once
    started = time.process_time()
    assert len(effects(table, baseline=0, by="arm", value="accuracy", margin=0.5)) == 10_000
    assert time.process_time() - started < 1


def test_importing_the_statistics_loads_nothing_heavy() -> None:
    code = "import sys, reports.statistics; print(*{'torch', 'statsmodels', 'sklearn', 'search'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == ""
