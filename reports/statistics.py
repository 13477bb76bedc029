"""Paired comparisons over seeds: effects with intervals, corrected p values, equivalence, power, and a verdict each.

Everything here works on any tidy table (one row a measurement) and knows nothing of run directories.

The method is the paired t test at every number of seeds. Bootstrap intervals cover too little at the three to ten
seeds that studies can afford, and a sign-flip test on five seeds cannot go below p = .0625.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy.special import chdtr, stdtr, stdtrit

SIGNIFICANCE = 0.05
POWER = 0.80


class Verdict(StrEnum):
    """What a comparison allows one to say, in a word."""

    DETECTED = "detected"
    EQUIVALENT = "equivalent"
    SUGGESTIVE = "suggestive"
    NOT_DETECTED = "not detected"
    NONE = "no verdict"


def effects(
    table: pd.DataFrame,
    *,
    baseline: Hashable,
    by: str,
    pair: str = "seed",
    value: str = "val_accuracy",
    planned: int | None = None,
    family: int | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """Compares every level of a column with the baseline level, pairing the measurements that share a seed.

    Args:
        table: One row a measurement. A missing ``value`` marks a measurement that was planned and did not succeed.
        baseline: The level of ``by`` that the others are compared with.
        by: The column that tells the levels apart.
        pair: The column that tells which measurements belong together.
        value: The column that was measured.
        planned: Pairs planned for each level; by default every distinct ``pair`` of the table. A level with fewer
            complete pairs is never ``detected`` and never ``equivalent``.
        family: Comparisons in the declared family, for Holm's correction; by default those of the table. Comparisons
            not yet made count as p = 1.
        margin: Effects smaller than this, in the unit of ``value``, do not matter (for ``equivalent``).

    Returns:
        One row a level, in the table's order without the baseline: ``by``, then the columns of :func:`paired`.

    Raises:
        ValueError: If a column is missing, the baseline is not in the table, or a level has a seed twice.
    """
    missing = [column for column in (by, pair, value) if column not in table.columns]
    if missing:
        raise ValueError(f"the table has no column {missing[0]!r}: it has {', '.join(map(str, table.columns))}")
    if not (table[by] == baseline).any():
        raise ValueError(f"the baseline {baseline!r} is not in the column {by!r}")
    if table.duplicated([by, pair]).any():
        twice = table.loc[table.duplicated([by, pair]), [by, pair]].iloc[0].tolist()
        raise ValueError(f"{by} {twice[0]} has more than one row for {pair} {twice[1]}")
    wide = table.pivot(index=pair, columns=by, values=value)
    levels = [level for level in table[by].unique() if level != baseline]
    differences = wide[levels].sub(wide[baseline], axis=0)
    if planned is None:
        planned = len(wide)
    return paired(differences, planned=planned, family=family, margin=margin).rename_axis(by).reset_index()


def paired(
    differences: pd.DataFrame, *, planned: int | pd.Series, family: int | None = None, margin: float | None = None
) -> pd.DataFrame:
    """Tests whether paired differences are zero on average, column by column.

    Args:
        differences: One row a pair, one column a comparison; missing where either side is missing.
        planned: Pairs planned, for all comparisons or for each.
        family: As in :func:`effects`.
        margin: As in :func:`effects`.

    Returns:
        One row a comparison: ``effect`` (mean difference), ``low`` and ``high`` (its 95% t interval), ``sd`` (of the
        differences), ``pairs`` (complete), ``planned``, ``p`` (two-sided), ``p_holm``, ``p_equivalence`` (TOST),
        ``detectable`` (see :func:`detectable`; at the family's strictest level, 5% over its size) and ``verdict`` (a
        :class:`Verdict`). Differences that do not vary leave nothing to test against: p is missing and there is no
        verdict. The same goes for a single pair.
    """
    frame = means(differences)
    frame = frame.rename(columns={"n": "pairs", "mean": "effect"})
    frame["planned"] = planned
    error = (frame["sd"] / np.sqrt(frame["pairs"].clip(lower=1))).where(frame["sd"] > 0)
    freedom = (frame["pairs"] - 1).where(frame["pairs"] > 1)
    frame["p"] = 2 * stdtr(freedom, -(frame["effect"] / error).abs())
    frame["p_holm"] = holm(frame["p"], family)
    room = np.nan if margin is None else (margin - frame["effect"].abs()) / error
    frame["p_equivalence"] = stdtr(freedom, -room)
    size = len(frame) if family is None else family
    frame["detectable"] = detectable(frame["sd"], frame["pairs"], SIGNIFICANCE / max(size, 1))
    frame["verdict"] = _verdicts(frame)
    return frame


def means(values: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Returns n, mean, sd, low and high (the t interval of the mean) of each column, missing values left out.

    The interval is missing with fewer than two values.
    """
    frame = pd.DataFrame({"n": values.count(), "mean": values.mean(), "sd": values.std(ddof=1)})
    return _with_interval(frame, values.abs().max(), confidence)


def group_means(table: pd.DataFrame, *, by: str, value: str, confidence: float = 0.95) -> pd.DataFrame:
    """Returns what :func:`means` returns, for each level of a column of a tidy table, indexed by level."""
    groups = table.groupby(by, sort=False, observed=True)[value]
    frame = pd.DataFrame({"n": groups.count(), "mean": groups.mean(), "sd": groups.std(ddof=1)})
    return _with_interval(frame, groups.max().abs(), confidence)


def holm(p: pd.Series, family: int | None = None) -> pd.Series:
    """Returns p values corrected by Holm's step-down method (Holm 1979); missing ones stay missing.

    Args:
        p: Uncorrected p values.
        family: Number of comparisons in the family; those beyond ``p`` count as p = 1. By default, all of ``p``.

    Raises:
        ValueError: If the family is smaller than the number of p values.
    """
    size = len(p) if family is None else family
    if size < p.count():
        raise ValueError(f"a family of {size} cannot hold {p.count()} comparisons")
    known = p.dropna().sort_values(kind="stable")
    steps = known * (size - np.arange(len(known)))
    return pd.Series(steps.cummax().clip(upper=1.0).reindex(p.index))


def detectable(sd: pd.Series, pairs: pd.Series, level: float = SIGNIFICANCE) -> pd.Series:
    """Returns the smallest true effect that a two-sided paired t test would find with a power of 80%.

    Computed from the noncentral t distribution with the observed standard deviation of the differences taken as true.

    Args:
        sd: Standard deviation of the paired differences.
        pairs: Number of pairs; the result is missing under two.
        level: Level of the test. For one of a family under Holm's correction, 5% over the family's size is what is
            asked of the smallest p, and so the strictest.
    """
    distances = {n: _noncentrality(n, level) for n in pairs.unique().tolist() if n > 1}
    scale: pd.Series = pairs.map(distances).astype(float) / np.sqrt(pairs.clip(lower=1))
    return scale * sd


def _with_interval(frame: pd.DataFrame, scale: pd.Series, confidence: float) -> pd.DataFrame:
    # Equal values can leave a standard deviation of a rounding error, which must not pass for a precise measurement.
    frame["sd"] = frame["sd"].mask(frame["sd"] <= 1e-9 * scale, 0.0)
    freedom = (frame["n"] - 1).where(frame["n"] > 1)
    half = stdtrit(freedom, (1 + confidence) / 2) * frame["sd"] / np.sqrt(frame["n"].clip(lower=1))
    return frame.assign(low=frame["mean"] - half, high=frame["mean"] + half)


def _verdicts(frame: pd.DataFrame) -> pd.Series:
    complete = frame["pairs"] >= frame["planned"]
    verdicts = pd.Series(Verdict.NOT_DETECTED, index=frame.index, dtype=object)
    verdicts[frame["p"] < SIGNIFICANCE] = Verdict.SUGGESTIVE
    verdicts[complete & (frame["p_equivalence"] < SIGNIFICANCE)] = Verdict.EQUIVALENT
    verdicts[complete & (frame["p_holm"] < SIGNIFICANCE)] = Verdict.DETECTED
    verdicts[frame["p"].isna()] = Verdict.NONE
    return verdicts


@functools.cache
def _noncentrality(pairs: int, level: float) -> float:
    """Returns the noncentrality at which the t test on so many pairs has the wanted power, by bisection."""
    freedom = pairs - 1
    critical = float(stdtrit(freedom, 1 - level / 2))
    # Given the normal part of t, the test finds the effect if the estimated standard deviation is small enough, by
    # the chi-squared distribution; that is averaged over the normal part. (scipy.special.nctdtr is off by a third at
    # one degree of freedom.)
    normal = np.linspace(-9, 9, 6001)
    weights = np.exp(-(normal**2) / 2)
    weights /= weights.sum()
    low, high = 0.0, 2 * critical + 10
    for _ in range(60):
        middle = (low + high) / 2
        power = weights @ chdtr(freedom, freedom * ((normal + middle) / critical) ** 2)
        low, high = (middle, high) if power < POWER else (low, middle)
    return high
