"""Noise of seeds and of images, against statsmodels' analysis of variance and McNemar's test, and what was put in."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from reports.statistics import image_bootstrap, mcnemar, noise, remaining


def answers(arms: int = 3, seeds: int = 4, images: int = 60, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    easy = random.uniform(0.4, 1.0, (1, 1, images))
    luck = random.normal(0, 0.05, (arms, seeds, 1))
    return random.random((arms, seeds, images)) < easy + luck


def by_hand(scores: np.ndarray) -> dict[str, float]:
    """Returns the components of one arm, seeds x images, from the mean squares of a fitted formula."""
    seeds, images = scores.shape
    table = pd.DataFrame(scores.astype(float)).stack().rename("y").rename_axis(["seed", "image"]).reset_index()
    squares = anova_lm(smf.ols("y ~ C(seed) + C(image)", table).fit())
    mean = squares["sum_sq"] / squares["df"]
    rest = mean["Residual"]
    return {
        "seed": max(0, (mean["C(seed)"] - rest) / images),
        "image": max(0, (mean["C(image)"] - rest) / seeds),
        "rest": rest,
    }


def test_components_are_those_of_the_mean_squares() -> None:
    correct = answers()
    frame = noise(correct, arms=["a", "b", "c"])
    gains = noise(correct, arms=["a", "b", "c"], baseline="b")
    assert gains.index.tolist() == ["a", "c"]
    for place, arm in enumerate("abc"):
        for name, expected in by_hand(correct[place]).items():
            assert frame.loc[arm, name] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    for name, expected in by_hand(correct[2].astype(float) - correct[1]).items():
        assert gains.loc["c", name] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert gains.loc["c", "mean"] == pytest.approx(correct[2].mean() - correct[1].mean())


def test_what_was_put_in_is_found() -> None:
    random = np.random.default_rng(1)
    rate = 0.7 + random.normal(0, 0.06, (400, 6, 1)) + random.choice([-0.2, 0.2], (400, 1, 200))
    found = noise(random.random((400, 6, 200)) < rate)[["seed", "image", "rest"]].mean()
    # A score given its rate has the variance rate (1 - rate), which is the rest.
    assert found["seed"] == pytest.approx(0.06**2, rel=0.1)
    assert found["image"] == pytest.approx(0.2**2, rel=0.05)
    assert found["rest"] == pytest.approx((rate * (1 - rate)).mean(), rel=0.02)


def test_the_error_of_a_mean_is_how_much_means_move() -> None:
    random = np.random.default_rng(2)
    seeds = random.normal(0, 0.1, (800, 5, 1))
    images = random.choice([-0.2, 0.2], (800, 1, 50))
    frame = noise(random.random((800, 5, 50)) < 0.5 + seeds + images)
    assert np.sqrt((frame["error"] ** 2).mean()) == pytest.approx(frame["mean"].std(), rel=0.08)


def test_more_of_either_helps_down_to_what_the_other_leaves() -> None:
    frame = noise(answers(images=300))
    errors = [remaining(frame, seeds, 300) for seeds in (1, 4, 100, np.inf)]
    assert all((less <= more).all() for more, less in itertools.pairwise(errors))
    assert errors[1].tolist() == pytest.approx(frame["error"].tolist())
    assert errors[-1].tolist() == pytest.approx(frame["more_seeds"].tolist())
    assert frame["more_seeds"].tolist() == pytest.approx(np.sqrt(frame["image"] / 300).tolist())
    assert frame["more_images"].tolist() == pytest.approx(np.sqrt(frame["seed"] / 4).tolist())
    assert remaining(frame, np.inf, np.inf).tolist() == [0.0] * 3


def test_one_seed_tells_of_images_alone() -> None:
    correct = answers(seeds=1)
    frame = noise(correct)
    assert frame[["seed", "rest", "error", "more_seeds", "more_images"]].isna().all(axis=None)
    assert frame["image_error"].iloc[0] == pytest.approx(stats.sem(correct[0, 0].astype(float)))


def test_the_order_of_seeds_and_images_is_nothing() -> None:
    correct = answers()
    frame = noise(correct, baseline=0)
    pd.testing.assert_frame_equal(frame, noise(correct[:, ::-1, ::-1], baseline=0), check_exact=False)
    # The same networks throughout have no noise between them.
    same = noise(np.stack([correct[0], correct[0]]), baseline=0)
    assert same[["mean", "seed", "image", "rest", "error"]].to_numpy().tolist() == [[0.0] * 5]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 10))
def test_mcnemars_p_is_statsmodels(gained: int, lost: int, same: int) -> None:
    first = np.array([False] * gained + [True] * (lost + same + 1))
    second = np.array([True] * gained + [False] * lost + [True] * (same + 1))
    found = mcnemar(first, second)
    expected = statsmodels_mcnemar([[same, lost], [gained, 0]], exact=True).pvalue if gained + lost else 1.0
    assert (found.gained, found.lost) == (gained, lost)
    assert found.p_exact == pytest.approx(expected)
    assert found.p <= found.p_exact
    middle = found.p_exact - stats.binom.pmf(min(gained, lost), gained + lost, 0.5)
    assert found.p == pytest.approx(1.0 if gained == lost else middle)
    assert found.low <= found.difference <= found.high
    turned = mcnemar(second, first)
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-found.difference, -found.high, -found.low))


def test_the_bootstrap_over_images_has_their_standard_error() -> None:
    correct = answers(images=400)
    frame = image_bootstrap(correct, baseline=0, draws=4000)
    for arm in (1, 2):
        gains = correct[arm].mean(axis=0) - correct[0].mean(axis=0)
        row = frame.loc[arm]
        assert row["effect"] == pytest.approx(gains.mean())
        assert row["error"] == pytest.approx(gains.std() / 20, rel=0.05)
        assert (row["low"] - row["effect"]) / row["error"] == pytest.approx(-1.96, abs=0.15)
    pd.testing.assert_frame_equal(frame, image_bootstrap(correct, baseline=0, draws=4000))
    turned = image_bootstrap(correct[:2], baseline=1, draws=4000)
    assert turned.loc[0, "effect"] == pytest.approx(-frame.loc[1, "effect"])


def test_what_is_not_arms_seeds_and_images_is_refused() -> None:
    correct = answers()
    for wrong in (correct[0], correct[:, :0]):
        with pytest.raises(ValueError, match="arms x seeds x images"):
            noise(wrong)
        with pytest.raises(ValueError, match="arms x seeds x images"):
            image_bootstrap(wrong, baseline=0)
    with pytest.raises(ValueError, match="'x' is not one of the arms"):
        noise(correct, baseline="x")
    with pytest.raises(ValueError, match="2 names for 3 arms"):
        noise(correct, arms=["a", "b"])
    with pytest.raises(ValueError, match="on the same images"):
        mcnemar(correct[0, 0], correct[1, 0, :5])
