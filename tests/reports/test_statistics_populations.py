"""Distributions of populations against statsmodels and scipy, and weights by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.distributions.empirical_distribution import ECDF

from reports.statistics import compare_spaces, edf, effective_size, equalising_weights


def sample(size: int = 40, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    space = np.where(np.arange(size) < size // 2, "narrow", "wide")
    cost = np.exp(random.normal(size=size) + (space == "wide"))
    return pd.DataFrame({"space": space, "cost": cost, "error": random.gamma(2, 0.05, size)})


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_the_curve_is_statsmodels(errors: list[int]) -> None:
    curve = edf(pd.Series(errors, dtype=float))
    assert curve["share"].tolist() == pytest.approx(ECDF(errors)(curve["error"]).tolist())
    half = np.sqrt(np.log(40) / (2 * len(errors)))
    assert curve["high"].tolist() == pytest.approx((curve["share"] + half).clip(upper=1).tolist())
    assert curve["error"].is_monotonic_increasing
    assert curve["share"].is_monotonic_increasing
    assert curve["share"].iloc[-1] == pytest.approx(1)
    assert ((curve["low"] >= 0) & (curve["low"] <= curve["share"]) & (curve["share"] <= curve["high"])).all()


def test_a_weight_of_two_is_the_network_twice_and_of_zero_never() -> None:
    weighted = edf(pd.Series([0.1, 0.2, 0.3, 0.4]), pd.Series([1, 2, 1, 0]))
    assert weighted["error"].tolist() == [0.1, 0.2, 0.3]
    assert weighted["share"].tolist() == pytest.approx([0.25, 0.75, 1.0])
    assert effective_size(pd.Series([1, 2, 1])) == pytest.approx(16 / 6)
    assert effective_size(pd.Series([3.0, 3.0])) == 2


def test_missing_errors_are_left_out_with_their_weights() -> None:
    error, weight = pd.Series([0.1, np.nan, 0.3]), pd.Series([1.0, 5.0, 1.0])
    pd.testing.assert_frame_equal(edf(error, weight), edf(error.dropna()))


def test_weights_by_hand() -> None:
    cost = pd.Series([1, 1.1, 1.2, 3.9, 1.0, 3.8, 3.9, 4.0, 20.0])
    space = pd.Series(list("aaaabbbbb"))
    weights = equalising_weights(cost, space, bins=2)
    # The range in common is 1 to 3.9; 4 and 20 are outside of it.
    assert weights.tolist() == pytest.approx([1 / 6] * 3 + [1 / 2] + [1 / 2, 1 / 4, 1 / 4, 0, 0])


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 100), st.integers(1, 8))
def test_weights_put_the_same_cost_into_every_space(seed: int, bins: int) -> None:
    table = sample(60, seed)
    weight = equalising_weights(table["cost"], table["space"], bins)
    assert weight.groupby(table["space"]).sum().tolist() == pytest.approx([1, 1])
    assert (weight >= 0).all()
    logs = np.log(table["cost"])
    ranges = logs.groupby(table["space"]).agg(["min", "max"])
    edges = np.linspace(ranges["min"].max(), ranges["max"].min(), bins + 1)
    edges[[0, -1]] += -1e-9, 1e-9
    narrow, wide = (
        np.histogram(logs[table["space"] == name], edges, weights=weight[table["space"] == name])[0]
        for name in ("narrow", "wide")
    )
    assert narrow.tolist() == pytest.approx(wide.tolist())
    assert narrow[narrow > 0].tolist() == pytest.approx([1 / (narrow > 0).sum()] * (narrow > 0).sum())
    order = np.random.default_rng(seed).permutation(60)
    again = equalising_weights(table["cost"].iloc[order], table["space"].iloc[order], bins)
    assert again.sort_index().tolist() == pytest.approx(weight.tolist())


def test_without_weights_spaces_are_compared_by_welch_and_smirnov() -> None:
    table = sample(50)
    found = compare_spaces(table, first="narrow", second="wide")
    one, other = (table.loc[table["space"] == name, "error"] for name in ("narrow", "wide"))
    expected = stats.ttest_ind(other, one, equal_var=False)
    interval = expected.confidence_interval()
    assert found.mean == pytest.approx(other.mean() - one.mean())
    assert (found.mean_low, found.mean_high) == pytest.approx((interval.low, interval.high))
    assert found.mean_p == pytest.approx(expected.pvalue)
    smirnov = stats.ks_2samp(one, other)
    assert (found.ks, found.ks_p) == pytest.approx((smirnov.statistic, smirnov.pvalue))
    assert found.sizes == pytest.approx((25, 25))


def test_an_area_is_the_integral_of_the_curve() -> None:
    table = sample(30)
    found = compare_spaces(table, first="narrow", second="wide", upper=0.12)
    areas = []
    for name in ("narrow", "wide"):
        errors = np.sort(table.loc[table["space"] == name, "error"].to_numpy())
        points = errors[errors < 0.12].tolist()
        areas.append(integrate.quad(ECDF(errors), 0, 0.12, points=points, limit=200)[0])
    assert found.area == pytest.approx(areas[1] - areas[0], abs=1e-6)
    assert found.area_low < found.area < found.area_high


def test_equal_weights_are_none() -> None:
    table = sample(60).assign(weight=1 / 30)
    plain, weighted = (compare_spaces(table, first="narrow", second="wide", weight=name) for name in (None, "weight"))
    assert weighted.mean_p == pytest.approx(plain.mean_p)
    assert weighted.ks == pytest.approx(plain.ks)
    assert weighted.ks_p == pytest.approx(stats.kstwobign.sf(plain.ks * np.sqrt(15)))
    turned = compare_spaces(table, first="wide", second="narrow", weight="weight")
    assert (turned.mean, turned.area, turned.ks_p) == pytest.approx((-weighted.mean, -weighted.area, weighted.ks_p))


def test_what_makes_no_sense_is_refused() -> None:
    table = sample()
    with pytest.raises(ValueError, match="an error is infinite"):
        edf(pd.Series([0.1, np.inf]))
    with pytest.raises(ValueError, match="negative or missing"):
        edf(pd.Series([0.1, 0.2]), pd.Series([1.0, -1.0]))
    with pytest.raises(ValueError, match="no network"):
        edf(pd.Series([np.nan]))
    with pytest.raises(ValueError, match="positive numbers"):
        equalising_weights(table["cost"] - 100, table["space"])
    with pytest.raises(ValueError, match="no cost in common"):
        equalising_weights(pd.Series([1.0, 2, 5, 6]), pd.Series(list("aabb")))
    with pytest.raises(ValueError, match="no column 'flops'"):
        compare_spaces(table, first="narrow", second="wide", weight="flops")
    with pytest.raises(ValueError, match="the space 'deep' is not in the column"):
        compare_spaces(table, first="narrow", second="deep")
