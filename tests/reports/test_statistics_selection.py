"""What choosing does: against known expectations, Welch's test by scipy, statsmodels' residuals, and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from reports.arms import front
from reports.statistics import chances, confirmed_means, expected_inflation, shrinkage, shrunken_means


def measured(arms: int = 8, seeds: int = 4, first: int = 0, spread: float = 1.0, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    shared = random.normal(size=seeds)
    return pd.DataFrame(
        {"arm": f"arm{arm}", "seed": first + number, "score": spread * arm + shared[number] + random.normal()}
        for arm in range(arms)
        for number in range(seeds)
    )


def test_the_best_of_a_few_equal_arms_is_known() -> None:
    assert expected_inflation(1, 1.0) == pytest.approx(0, abs=1e-9)
    assert expected_inflation(2, 1.0) == pytest.approx(1 / np.sqrt(np.pi))
    assert expected_inflation(3, 0.5) == pytest.approx(0.75 / np.sqrt(np.pi))
    assert expected_inflation(50, 1.0) == pytest.approx(2.24907, abs=1e-4)
    assert expected_inflation(50, 1.0, seeds=4) == pytest.approx(expected_inflation(50, 0.5))
    assert expected_inflation(50, 1.0, correlation=0.75) == pytest.approx(expected_inflation(50, 0.5))
    assert expected_inflation(50, 1.0, correlation=1.0) == 0


def test_correlated_arms_are_inflated_as_expected() -> None:
    random = np.random.default_rng(0)
    scores = 0.8 * random.normal(size=(20_000, 3, 1)) + 0.6 * random.normal(size=(20_000, 3, 20))
    happened = scores.mean(axis=1).max(axis=1).mean()
    assert expected_inflation(20, 1.0, seeds=3, correlation=0.64) == pytest.approx(happened, abs=0.015)


def test_shrinkage_is_welchs_test_of_gains() -> None:
    before, after = measured(), measured(seeds=6, first=1000, seed=1)
    after = after[after["arm"].isin(["arm0", "arm6", "arm7"])]
    frame = shrinkage(before, after, by="arm", baseline="arm0", value="score")
    wide = [table.pivot(index="seed", columns="arm", values="score") for table in (before, after)]
    gains = [own[["arm6", "arm7"]].sub(own["arm0"], axis=0) for own in wide]
    assert frame.index.tolist() == ["arm6", "arm7", None]
    columns = [(gains[0][arm], gains[1][arm]) for arm in ("arm6", "arm7")]
    columns.append((gains[0].mean(axis=1), gains[1].mean(axis=1)))
    for place, (one, other) in enumerate(columns):
        expected = stats.ttest_ind(one, other, equal_var=False)
        interval = expected.confidence_interval()
        row = frame.iloc[place]
        assert row["shrinkage"] == pytest.approx(one.mean() - other.mean())
        assert row["p"] == pytest.approx(expected.pvalue)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))


def test_what_was_selected_on_cannot_confirm() -> None:
    for compare in (shrinkage, confirmed_means):
        with pytest.raises(ValueError, match="seed 0 is in both tables"):
            compare(measured(), measured(), by="arm", value="score")


def test_shrunken_means_keep_what_is_not_noise() -> None:
    table = measured(spread=0.3)
    frame = shrunken_means(table, by="arm", value="score")
    noise = smf.ols("score ~ C(arm) + C(seed)", table).fit().mse_resid / 4
    spread = frame["mean"].var(ddof=1)
    assert frame["noise"].iloc[0] == pytest.approx(np.sqrt(noise))
    assert frame["kept"].iloc[0] == pytest.approx(max(0, 1 - 5 / 7 * noise / spread))
    grand = frame["mean"].mean()
    assert ((frame["shrunken"] - grand).abs() <= (frame["mean"] - grand).abs()).all()
    assert frame["shrunken"].rank().tolist() == frame["mean"].rank().tolist()
    moved = shrunken_means(table.assign(score=table["score"] + 5 * (table["seed"] == 2)), by="arm", value="score")
    assert moved["kept"].iloc[0] == pytest.approx(frame["kept"].iloc[0])


def test_shrunken_means_are_closer_and_their_errors_right() -> None:
    random = np.random.default_rng(0)
    off, covered = [], []
    for number in range(25):
        worth = random.normal(0, 0.5, 20)
        table = measured(arms=20, spread=0, seed=number)
        table["score"] += worth[table["arm"].str[3:].astype(int)]
        frame = shrunken_means(table, by="arm", value="score").loc[[f"arm{arm}" for arm in range(20)]]
        level = frame["mean"].mean() - worth.mean()  # what seeds do to all arms
        off.append([((frame[name] - level - worth) ** 2).mean() for name in ("mean", "shrunken")])
        covered.append(((frame["shrunken"] - level - worth).abs() < 1.96 * frame["error"]).mean())
    raw, shrunken = np.mean(off, axis=0)
    assert shrunken < 0.7 * raw
    assert 0.92 < np.mean(covered) < 0.98


def test_equal_finalists_are_called_equal() -> None:
    before, after = measured(arms=30, spread=0), measured(arms=5, first=1000, spread=0, seed=1)
    frame = confirmed_means(before, after, by="arm", value="score")
    assert frame.index.tolist() == [f"arm{arm}" for arm in range(5)]
    if shrunken_means(before, by="arm", value="score")["kept"].iloc[0] == 0:
        assert frame["shrunken"].tolist() == pytest.approx([after["score"].mean()] * 5)
    assert frame["shrunken"].max() - frame["shrunken"].min() < frame["confirmed"].max() - frame["confirmed"].min()
    assert ((frame["low"] < frame["shrunken"]) & (frame["shrunken"] < frame["high"])).all()


def test_arms_far_apart_keep_their_own_means() -> None:
    before, after = measured(arms=10, spread=50), measured(arms=10, seeds=5, first=1000, spread=50, seed=1)
    frame = confirmed_means(before, after[after["arm"] >= "arm7"], by="arm", value="score")
    # What is left to combine are two means of 4 and of 5 seeds, the phases' levels set apart.
    phases = frame[["selected", "confirmed"]]
    own = (phases - phases.mean()) @ [4 / 9, 5 / 9]
    assert (frame["shrunken"] - frame["shrunken"].mean()).tolist() == pytest.approx(own.tolist(), abs=0.02)
    assert frame["shrunken"].mean() == pytest.approx(frame["confirmed"].mean())


def test_without_noise_chances_are_certainties() -> None:
    score = pd.Series([0.90, 0.92, 0.91, 0.95, np.nan], index=list("abcde"))
    cost = pd.Series([1.0, 2.0, 2.0, 5.0, 1.0], index=list("abcde"))
    frame = chances(score, 0.0, cost, limit=2.0, draws=7)
    assert (frame["front"] == front(cost, score)).all()
    assert frame["best"].tolist() == [0, 1, 0, 0, 0]
    assert chances(score, 0.0, cost)["best"].tolist() == [0, 0, 0, 1, 0]


def test_chances_are_those_of_normal_scores() -> None:
    score, cost = pd.Series([0.0, 0.5], index=["cheap", "dear"]), pd.Series([1, 2], index=["cheap", "dear"])
    frame = chances(score, 1.0, cost, draws=40_000)
    dear = stats.norm.cdf(0.5 / np.sqrt(2))
    assert frame.loc["cheap", "front"] == 1  # nothing is as cheap
    assert frame.loc["dear", "front"] == pytest.approx(dear, abs=0.01)
    assert frame["best"].tolist() == pytest.approx([1 - dear, dear], abs=0.01)
    pd.testing.assert_frame_equal(frame, chances(score, 1.0, cost, draws=40_000))


def test_thousands_of_arms_add_up() -> None:
    random = np.random.default_rng(0)
    cost = pd.Series(random.integers(1, 500, 3000))
    frame = chances(pd.Series(random.normal(size=3000)), 0.1, cost, limit=250, draws=200)
    assert frame["best"].sum() == pytest.approx(1)
    assert (frame.loc[cost > 250, "best"] == 0).all()
    assert frame.loc[cost == cost.min(), "front"].sum() == pytest.approx(1)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one arm"):
        expected_inflation(0, 1.0)
    with pytest.raises(ValueError, match="correlation from 0 to 1"):
        expected_inflation(5, 1.0, correlation=1.5)
    with pytest.raises(ValueError, match="at least 4 arms"):
        shrunken_means(measured(arms=3), by="arm", value="score")
    with pytest.raises(ValueError, match="'arm9' is not in"):
        shrinkage(measured(), measured(first=9), by="arm", baseline="arm9", value="score")
    with pytest.raises(ValueError, match="errors of at least 0"):
        chances(pd.Series([1.0]), -1.0, pd.Series([1.0]))
