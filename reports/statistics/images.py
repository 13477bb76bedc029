"""Two networks on the same images: McNemar's test, and a bootstrap over images."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics.numbers import probability, right

CHUNK = 64


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two networks on the same images.

    Attributes:
        gained: Images that only the second got right.
        lost: Images that only the first got right.
        difference: Accuracy of the second minus that of the first.
        low: Lower end of the 95% interval of the difference over images.
        high: Its upper end.
        p_exact: Two-sided, from the binomial distribution of ``gained`` among those that differ: never too small.
        p: The same less half the probability of what was seen (mid-p), which is closer to the level at any count
            (Fagerland, Lydersen and Laake 2013).
    """

    gained: int
    lost: int
    difference: float
    low: float
    high: float
    p_exact: float
    p: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Compares two single networks, image by image; it speaks of these two, not of others trained alike.

    The interval is Bonett and Price's (2012): the paired difference of proportions with one image added to each of the
    two counts that differ, which covers at small counts too.

    Args:
        first: Which images the first network got right.
        second: The same images, the second network.

    Raises:
        ValueError: If they are not of the same images, or there are none.
    """
    from scipy.stats import binom

    first, second = right(first, "the first network"), right(second, "the second network")
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"two networks on the same images are wanted, not {first.shape} and {second.shape}")
    images = len(first)
    gained, lost = int((~first & second).sum()), int((first & ~second).sum())
    differing, fewer = gained + lost, min(gained, lost)
    exact = min(1.0, 2 * float(binom.cdf(fewer, differing, 0.5)))
    half_seen = float(binom.pmf(fewer, differing, 0.5))
    middle = 1.0 if gained == lost else exact - half_seen
    up, down = (gained + 1) / (images + 2), (lost + 1) / (images + 2)
    half = 1.959963984540054 * np.sqrt((up + down - (up - down) ** 2) / (images + 2))
    low, high = max(-1.0, up - down - half), min(1.0, up - down + half)
    return McNemar(gained, lost, (gained - lost) / images, float(low), float(high), exact, middle)


def image_bootstrap(
    correct: NDArray[np.bool_],
    *,
    baseline: Hashable,
    arms: Sequence[Hashable] | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Returns each arm's difference from the baseline with its interval over images, the networks held fixed.

    Images are drawn with replacement, the same ones for all arms (the paired bootstrap, percentile interval: Efron and
    Tibshirani 1993, chapter 13). Images number in the hundreds at least, which is what a bootstrap needs and seeds
    can't give.

    Args:
        correct: Arms x seeds x images, as in :func:`reports.statistics.noise`.
        baseline: The arm that the others are compared with.
        arms: What the arms are called; by default 0, 1, ...
        draws: Resamples.
        seed: Of the resampling.
        confidence: Of the interval.

    Returns:
        One row an arm, without the baseline, indexed by arm: ``effect``, ``low``, ``high``, ``error``.

    Raises:
        ValueError: If the array has not three dimensions, or the baseline is not one of its arms.
    """
    probability(confidence, "a confidence")
    correct = right(correct, "which images were right")
    if correct.ndim != 3 or 0 in correct.shape:
        raise ValueError(f"arms x seeds x images are wanted, at least one of each; the shape is {correct.shape}")
    names: list[Hashable] = [*range(len(correct))] if arms is None else [*arms]
    if baseline not in names or len(names) != len(correct):
        raise ValueError(f"the baseline {baseline!r} is not one of the arms")
    rates = correct.mean(axis=1, dtype=float)  # arms x images
    others = [number for number, name in enumerate(names) if name != baseline]
    gains = rates[others] - rates[names.index(baseline)]
    images = gains.shape[1]
    random = np.random.default_rng(seed)
    effects = np.empty((len(gains), draws))
    for start in range(0, draws, CHUNK):
        width = min(CHUNK, draws - start)
        drawn = random.integers(0, images, (width, images)) + images * np.arange(width)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=width * images).reshape(width, images)
        effects[:, start : start + width] = gains @ counts.T / images
    tail = (1 - confidence) / 2
    low, high = np.quantile(effects, [tail, 1 - tail], axis=1)
    frame = {"effect": gains.mean(axis=1), "low": low, "high": high, "error": effects.std(axis=1, ddof=1)}
    return pd.DataFrame(frame, index=pd.Index([names[number] for number in others], name="arm"))
