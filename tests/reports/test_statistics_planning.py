"""Plans against statsmodels' power, simulation, and each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from reports.statistics import (
    detectable,
    equivalence_power,
    more_pairs,
    pairs_for_equivalence,
    pairs_needed,
    power,
    sd_interval,
)


@pytest.mark.parametrize("pairs", [3, 5, 10, 50])
@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
def test_power_is_statsmodels(pairs: int, level: float) -> None:
    for noncentrality in (0.0, 0.7, 2.0, 4.0):  # beyond, statsmodels' own is missing at some levels
        effect = noncentrality / np.sqrt(pairs)
        assert power(effect, 1.0, pairs, level) == pytest.approx(TTestPower().power(effect, pairs, level), abs=1e-7)
        assert power(-effect * 0.01, 0.01, pairs, level) == pytest.approx(power(effect, 1.0, pairs, level))


def test_what_is_detectable_is_found_with_the_wanted_power() -> None:
    for wanted in (0.5, 0.8, 0.95):
        effect = detectable(pd.Series([0.4]), pd.Series([6]), 0.01, wanted).item()
        assert power(effect, 0.4, 6, 0.01) == pytest.approx(wanted)


@pytest.mark.parametrize("effect", [0.2, 0.5, 1.0, 4.0, 40.0])
def test_the_seeds_needed_are_the_fewest_that_do(effect: float) -> None:
    pairs = pairs_needed(effect, 1.0)
    assert pairs is not None
    assert power(effect, 1.0, pairs) >= 0.8
    assert pairs == 2 or power(effect, 1.0, pairs - 1) < 0.8


def test_the_power_of_equivalence_is_what_happens() -> None:
    samples = np.random.default_rng(0).normal(0.3, 1, (100_000, 5))
    half = stats.t.ppf(0.95, 4) * samples.std(axis=1, ddof=1) / np.sqrt(5)
    happened = (np.abs(samples.mean(axis=1)) + half < 1.5).mean()
    assert equivalence_power(1.5, 1.0, 5, effect=0.3) == pytest.approx(happened, abs=0.005)
    assert equivalence_power(1.5, 1.0, 5, effect=-0.3) == pytest.approx(equivalence_power(1.5, 1.0, 5, effect=0.3))
    # At the margin itself it is wrong in 5% at most.
    assert 0 < equivalence_power(1.5, 1.0, 5, effect=1.5) <= 0.05


def test_the_seeds_needed_for_equivalence_are_the_fewest_that_do() -> None:
    pairs = pairs_for_equivalence(0.5, 1.0)
    assert pairs is not None
    assert equivalence_power(0.5, 1.0, pairs) >= 0.8 > equivalence_power(0.5, 1.0, pairs - 1)
    assert pairs_for_equivalence(0.5, 1.0, effect=0.5) is None


def test_the_example_of_the_readme() -> None:
    assert pairs_needed(effect=0.01, sd=0.008) == 8


def test_what_cannot_be_had_is_none() -> None:
    assert pairs_needed(0.0, 1.0) is None
    assert pairs_needed(1e-4, 1.0) is None


def test_more_seeds_start_from_the_interval_at_hand_and_only_help() -> None:
    frame = more_pairs(0.01, 5, (1, 2, 5, 20))
    assert frame["pairs"].tolist() == [5, 6, 7, 10, 25]
    assert frame["half_width"].iloc[0] == pytest.approx(stats.t.ppf(0.975, 4) * 0.01 / np.sqrt(5))
    assert frame["half_width"].is_monotonic_decreasing
    assert frame["detectable"].is_monotonic_decreasing
    samples = np.random.default_rng(0).normal(0, 1, (50_000, 6))
    expected = (stats.t.ppf(0.975, 5) * samples.std(axis=1, ddof=1) / np.sqrt(6)).mean()
    unbiased = 0.01 / (samples[:, :5].std(axis=1, ddof=1).mean())
    assert frame["half_width"].iloc[1] == pytest.approx(expected * unbiased, rel=0.01)


def test_a_pilots_deviation_has_the_interval_of_the_chi_squared() -> None:
    low, high = sd_interval(2.0, 8)
    assert stats.chi2.cdf(7 * 4 / low**2, 7) == pytest.approx(0.975)
    assert stats.chi2.cdf(7 * 4 / high**2, 7) == pytest.approx(0.025)


@pytest.mark.parametrize(("sd", "pairs", "level"), [(0.0, 5, 0.05), (np.inf, 5, 0.05), (1, 1, 0.05), (1, 5, 1.0)])
def test_plans_that_make_no_sense_are_refused(sd: float, pairs: int, level: float) -> None:
    with pytest.raises(ValueError, match=r"standard deviation|at least 2 pairs|between 0 and 1"):
        power(1.0, sd, pairs, level)
