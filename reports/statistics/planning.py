"""Before the money is spent: what so many seeds can find, how many a wanted effect needs, what more would buy.

All of it is the paired t test and the two one-sided tests of equivalence, exact at every number of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
import pandas as pd
from scipy.special import chdtr, chdtri, gammaln, stdtrit

from reports.statistics.noncentral import found_with, noncentrality, normal_part
from reports.statistics.numbers import Many, Numbers, is_one, probability, series
from reports.statistics.verdicts import POWER, SIGNIFICANCE

MOST_PAIRS = 100_000


@overload
def detectable(
    sd: float, pairs: float, level: float = ..., wanted: float = ..., freedom: float | None = ...
) -> float: ...


@overload
def detectable(
    sd: Many, pairs: Numbers, level: float = ..., wanted: float = ..., freedom: Numbers | None = ...
) -> pd.Series: ...


@overload
def detectable(
    sd: float, pairs: Many, level: float = ..., wanted: float = ..., freedom: Numbers | None = ...
) -> pd.Series: ...


def detectable(
    sd: Numbers,
    pairs: Numbers,
    level: float = SIGNIFICANCE,
    wanted: float = POWER,
    freedom: Numbers | None = None,
) -> pd.Series | float:
    """Returns the smallest true effect that a two-sided paired t test would find with the wanted power, 80%.

    Computed from the noncentral t distribution with the observed standard deviation of the differences taken as true.

    Args:
        sd: Standard deviation of the paired differences: one, or one a comparison.
        pairs: Number of pairs, likewise; the result is missing under two.
        level: Level of the test. For one of a family under Holm's correction, 5% over the family's size is what is
            asked of the smallest p, and so the strictest.
        wanted: The probability of finding it.
        freedom: Degrees of freedom of ``sd``; by default pairs - 1.

    Returns:
        A number for numbers, else a series, indexed like the first of them that is one.

    Raises:
        ValueError: If something is no number, a standard deviation is negative, they are not equally many, or a
            probability is not between 0 and 1.
    """
    _check_probability(level)
    _check_probability(wanted)
    if is_one(sd) and is_one(pairs):
        return float(_detectable(series(sd, "sd"), series(pairs, "pairs"), level, wanted, freedom).iloc[0])
    index = next((each.index for each in (sd, pairs) if isinstance(each, pd.Series)), None)
    index = series(pairs if is_one(sd) else sd, "sd").index if index is None else index
    return _detectable(series(sd, "sd", index), series(pairs, "pairs", index), level, wanted, freedom)


def _detectable(sd: pd.Series, pairs: pd.Series, level: float, wanted: float, given: Numbers | None) -> pd.Series:
    if (sd < 0).any():
        raise ValueError(f"a standard deviation is at least 0, not {sd.min()}")
    freedom = pairs - 1 if given is None else series(given, "freedom", pairs.index)
    distances = {degrees: noncentrality(degrees, level, wanted) for degrees in freedom.unique() if degrees > 0}
    scale: pd.Series = freedom.map(distances).astype(float) / np.sqrt(pairs.clip(lower=1))
    return scale * sd


def power(effect: float, sd: float, pairs: int, level: float = SIGNIFICANCE) -> float:
    """Returns the probability that a two-sided paired t test finds a true effect.

    P(|T| > t) for T noncentral t with pairs - 1 degrees of freedom and noncentrality sqrt(pairs) effect / sd.

    Args:
        effect: The true mean difference.
        sd: True standard deviation of the paired differences, in the same unit.
        pairs: Number of pairs, at least 2.
        level: Level of the test; 5% over a family's size for the strictest of Holm's steps.

    Raises:
        ValueError: If sd is not positive, there are fewer than two pairs, or the level is not between 0 and 1.
    """
    _check(sd, pairs, level)
    return found_with(pairs - 1, abs(effect) / sd * np.sqrt(pairs), level)


def pairs_needed(effect: float, sd: float, level: float = SIGNIFICANCE, wanted: float = POWER) -> int | None:
    """Returns the fewest pairs at which :func:`power` reaches ``wanted``; None if 100,000 don't do.

    Raises:
        ValueError: If sd is not positive, or a probability is not between 0 and 1.
    """
    _check(sd, 2, level)
    _check_probability(wanted)
    return _fewest(lambda pairs: power(effect, sd, pairs, level) >= wanted)


def equivalence_power(margin: float, sd: float, pairs: int, effect: float = 0.0, level: float = SIGNIFICANCE) -> float:
    """Returns the probability that both one-sided t tests place a true effect within the margin.

    P(|mean| + t(pairs - 1) s / sqrt(pairs) < margin), t at ``level`` one-sided (Phillips 1990).

    Args:
        margin: Differences smaller than this do not matter.
        sd: True standard deviation of the paired differences.
        pairs: Number of pairs, at least 2.
        effect: The true mean difference.
        level: Of each one-sided test.

    Raises:
        ValueError: As in :func:`power`.
    """
    _check(sd, pairs, level)
    scale = np.sqrt(pairs) / sd
    normal, weights = normal_part()
    room = (margin * scale - np.abs(normal + effect * scale)).clip(min=0)
    return float(weights @ chdtr(pairs - 1, (pairs - 1) * (room / stdtrit(pairs - 1, 1 - level)) ** 2))


def pairs_for_equivalence(
    margin: float, sd: float, effect: float = 0.0, level: float = SIGNIFICANCE, wanted: float = POWER
) -> int | None:
    """Returns the fewest pairs at which :func:`equivalence_power` reaches ``wanted``; None if 100,000 don't do.

    Raises:
        ValueError: If sd is not positive, or a probability is not between 0 and 1.
    """
    _check(sd, 2, level)
    _check_probability(wanted)
    if abs(effect) >= margin:
        return None
    return _fewest(lambda pairs: equivalence_power(margin, sd, pairs, effect, level) >= wanted)


def more_pairs(sd: float, pairs: int, more: Sequence[int] = (1, 2, 5, 10), level: float = SIGNIFICANCE) -> pd.DataFrame:
    """Tells what more pairs would buy.

    Args:
        sd: Observed standard deviation of the paired differences.
        pairs: Pairs that it was observed in, at least 2.
        more: Numbers of further pairs.
        level: As in :func:`power`, for ``detectable``.

    Returns:
        A row for now (``more`` = 0) and one for each number: ``more``, ``pairs``, ``half_width`` (expected, of the 95%
        interval: t(n - 1) c4(n) sd / (c4(pairs) sqrt(n)), where c4 is what an estimated standard deviation falls short
        by on average) and ``detectable`` (with the observed standard deviation taken as true).

    Raises:
        ValueError: As in :func:`power`.
    """
    _check(sd, pairs, level)
    if not all(is_one(number) and number >= 0 for number in more):
        raise ValueError(f"numbers of further pairs are at least 0, not {list(more)}")
    numbers = pd.Series([0, *more])
    total = numbers + pairs
    expected = sd * _shortfall(total) / float(_shortfall(pd.Series([pairs])).iloc[0])
    half: pd.Series = pd.Series(stdtrit(total - 1, 0.975)) * expected / np.sqrt(total)
    found = detectable(pd.Series(sd, index=total.index), total, level)
    return pd.DataFrame({"more": numbers, "pairs": total, "half_width": half, "detectable": found})


def sd_interval(sd: float, pairs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Returns the interval of a true standard deviation, from the chi-squared: wide where pilots are small.

    sd sqrt(f / chi2(f)) with f = pairs - 1; at three pairs from half of ``sd`` to six times it.

    Raises:
        ValueError: As in :func:`power`.
    """
    _check(sd, pairs, 1 - confidence)
    tail = (1 - confidence) / 2
    low, high = chdtri(pairs - 1, np.array([tail, 1 - tail]))
    return float(sd * np.sqrt((pairs - 1) / low)), float(sd * np.sqrt((pairs - 1) / high))


def _check(sd: float, pairs: int, level: float) -> None:
    for name, value in (("a standard deviation", sd), ("a number of pairs", pairs)):
        if not is_one(value):
            raise ValueError(f"{name} is one number here, not {value!r}")
    if not 0 < sd < np.inf:
        raise ValueError(f"a standard deviation is a positive number, not {sd}")
    if pairs < 2:
        raise ValueError(f"a paired test needs at least 2 pairs, not {pairs}")
    _check_probability(level)


def _check_probability(value: float) -> None:
    probability(value, "a level, or a power,")


def _shortfall(pairs: pd.Series) -> pd.Series:
    """Returns c4: the mean of an estimated standard deviation over the true one."""
    ratio = np.exp(gammaln(pairs / 2) - gammaln((pairs - 1) / 2))
    return pd.Series(np.sqrt(2 / (pairs - 1)) * ratio)


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """Returns the fewest pairs that are enough: more pairs never find less."""
    high = 2
    while not enough(high):
        if high >= MOST_PAIRS:
            return None
        high = min(2 * high, MOST_PAIRS)
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
