"""Paired comparisons over seeds: effects with intervals, corrected p values, equivalence, and a verdict each.

The method is the paired t test at every number of seeds. Bootstrap intervals cover too little at the three to ten
seeds that studies can afford, and a sign-flip test on five seeds cannot go below p = .0625. Differences of two arms
whose noise has the same shape are symmetric, however skewed that shape is, so the t test holds where it would not for
the arms themselves.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from scipy.special import stdtr

from reports.statistics.average import means
from reports.statistics.correction import holm
from reports.statistics.numbers import Numbers, columns
from reports.statistics.planning import detectable
from reports.statistics.standardise import standardised
from reports.statistics.tidy import widen
from reports.statistics.verdicts import SIGNIFICANCE, judge

ROUNDING = 1e-12  # of the scores: smaller differences are none


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
        ValueError: If a column is missing or holds what it can't, the baseline is not in the table, or a level has a
            seed twice.
    """
    wide = widen(table, by=by, pair=pair, value=value)
    if baseline not in wide.columns:
        levels = ", ".join(repr(level) for level in wide.columns[:8]) + (", ..." if wide.shape[1] > 8 else "")
        raise ValueError(f"the baseline {baseline!r} is not in the column {by!r}: it has {levels or 'no level'}")
    differences = wide.drop(columns=[baseline]).sub(wide[baseline], axis=0)
    differences = differences.mask(differences.abs() <= ROUNDING * np.nanmax(np.abs(wide.to_numpy()), initial=0), 0.0)
    if planned is None:
        planned = len(wide)
    return paired(differences, planned=planned, family=family, margin=margin).rename_axis(by).reset_index()


def paired(
    differences: pd.DataFrame | Numbers,
    *,
    planned: int | pd.Series | None = None,
    family: int | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """Tests whether paired differences are zero on average, column by column.

    Args:
        differences: One row a pair, one column a comparison; missing where either side is missing. A list, an array or
            a series is one comparison.
        planned: Pairs planned, for all comparisons or for each; by default as many as there are rows.
        family: As in :func:`effects`.
        margin: As in :func:`effects`.

    Returns:
        One row a comparison: ``effect`` (mean difference), ``low`` and ``high`` (its 95% t interval), ``sd`` (of the
        differences), ``pairs`` (complete), ``planned``, ``p`` (two-sided), ``p_holm``, ``p_equivalence`` (TOST,
        Schuirmann 1987: the larger p of the one-sided t tests against the margin and its negative), ``within_margin``
        (whether that is under 5%, for complete comparisons), ``standardised`` with its interval (see
        :func:`~reports.statistics.standardised`), ``detectable`` (see :func:`detectable`; at the family's strictest
        level, 5% over its size) and ``verdict`` (see :func:`~reports.statistics.verdicts.judge`). Differences that do
        not vary leave nothing to test against: p is missing and there is no verdict. The same goes for a single pair.

    Raises:
        ValueError: If a difference is infinite or no number, or the margin is not a positive number.
    """
    differences = columns(differences, "differences")
    if np.isinf(differences.to_numpy(float)).any():
        raise ValueError("a difference is infinite")
    frame = means(differences).rename(columns={"n": "pairs", "mean": "effect"})
    frame["planned"] = len(differences) if planned is None else planned
    error = (frame["sd"] / np.sqrt(frame["pairs"].clip(lower=1))).where(frame["sd"] > 0)
    return assess(frame, error, (frame["pairs"] - 1).where(frame["pairs"] > 1), family=family, margin=margin)


def assess(
    frame: pd.DataFrame, error: pd.Series, freedom: pd.Series, *, family: int | None, margin: float | None
) -> pd.DataFrame:
    """Adds tests, sizes and verdicts to ``effect``, ``sd``, ``pairs`` and ``planned``: see :func:`paired`.

    Args:
        frame: One row an effect.
        error: Their standard errors; missing where there is nothing to test against.
        freedom: Degrees of freedom of the errors.
        family: As in :func:`effects`.
        margin: As in :func:`effects`.
    """
    if margin is not None and not 0 < margin < np.inf:
        raise ValueError(f"a margin is a positive number, not {margin}")
    p = pd.Series(2 * stdtr(freedom, -(frame["effect"] / error).abs()), index=frame.index)
    room = np.nan if margin is None else (margin - frame["effect"].abs()) / error
    p_equivalence = pd.Series(stdtr(freedom, -room), index=frame.index)
    within = (p_equivalence < SIGNIFICANCE) & (frame["pairs"] >= frame["planned"])
    frame = frame.assign(p=p, p_holm=holm(p, family), p_equivalence=p_equivalence, within_margin=within)
    frame = frame.join(standardised(frame["effect"], frame["sd"], frame["pairs"], freedom))
    level = SIGNIFICANCE / max(len(frame) if family is None else family, 1)
    frame["detectable"] = detectable(frame["sd"], frame["pairs"], level, freedom=freedom)
    frame["verdict"] = judge(frame)
    return frame
