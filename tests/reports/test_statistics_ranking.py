"""Rank agreement against scipy, and its laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics import rank_agreement

scores = st.lists(st.integers(-5, 5), min_size=5, max_size=12)


def draw(arms: int, strength: float, seed: int = 0) -> tuple[pd.Series, pd.Series]:
    random = np.random.default_rng(seed)
    one = pd.Series(random.normal(size=arms), index=[f"arm{number}" for number in range(arms)])
    return one, strength * one + np.sqrt(1 - strength**2) * random.normal(size=arms)


@settings(deadline=None, max_examples=12)
@given(scores, st.randoms(use_true_random=False))
def test_tau_is_scipys_with_ties_too(values: list[int], shuffle: object) -> None:
    other = sorted(values, key=lambda _: shuffle.random())  # type: ignore[attr-defined]
    found = rank_agreement(pd.Series(values), pd.Series(other))
    assert found.tau == pytest.approx(stats.kendalltau(values, other).statistic, nan_ok=True)
    if not np.isnan(found.tau):
        assert -1 <= found.low <= found.tau <= found.high <= 1
        turned = rank_agreement(pd.Series(values), -pd.Series(other))
        assert (turned.tau, turned.low, turned.high) == pytest.approx((-found.tau, -found.high, -found.low), abs=1e-9)


def test_nothing_but_the_order_counts() -> None:
    one, other = draw(12, 0.8)
    found = rank_agreement(one, other)
    stretched = rank_agreement(np.exp(one), other.sample(frac=1, random_state=0) ** 3)
    assert (stretched.tau, stretched.low, stretched.high) == pytest.approx((found.tau, found.low, found.high))
    assert found.reversed == pytest.approx((1 - found.tau) / 2)  # no ties


def test_the_rule_for_trust() -> None:
    same, _ = draw(10, 1.0)
    perfect = rank_agreement(same, same)
    assert (perfect.tau, perfect.high, perfect.trusted) == (1, 1, True)
    assert 0.2 < perfect.low < 0.8  # ten arms don't prove that all agree
    unrelated = rank_agreement(*draw(30, 0.0))
    assert not unrelated.trusted
    assert "another order" in unrelated.reason
    few = rank_agreement(pd.Series([1.0, 2, 3, 4, 5]), pd.Series([1.0, 3, 2, 5, 4]))
    assert not few.trusted
    assert "too few arms" in few.reason


def test_what_cannot_be_told_is_not_trusted() -> None:
    one, other = draw(8, 0.9)
    still = rank_agreement(one * 0, other)
    assert (still.trusted, still.reason) == (False, "all arms have the same score")
    lost = rank_agreement(one.where(one.index < "arm4"), other)
    assert (lost.arms, lost.trusted) == (4, False)
    assert "at least 5" in lost.reason
    with pytest.raises(ValueError, match="infinite"):
        rank_agreement(one.replace(one.iloc[0], np.inf), other)
    with pytest.raises(ValueError, match="more than one score"):
        rank_agreement(pd.concat([one, one]), other)
