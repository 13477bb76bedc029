"""Means with their t intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.special import stdtrit

from reports.statistics.numbers import Numbers, columns, probability
from reports.statistics.tidy import require

CONFIDENCE = 0.95


def means(values: pd.DataFrame | Numbers, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Returns n, mean, sd, low and high (the t interval of the mean) of each column, missing values left out.

    mean ± t(n - 1) sd / sqrt(n). The interval is missing with fewer than two values.

    Args:
        values: Columns of numbers, measurements x groups; a list, an array or a series counts as one column.
        confidence: Of the intervals.

    Returns:
        One row a column.

    Raises:
        ValueError: If a value is no number, or the confidence is not between 0 and 1.
    """
    values = columns(values, "means")
    frame = pd.DataFrame({"n": values.count(), "mean": values.mean(), "sd": values.std(ddof=1)})
    return _with_interval(frame, values.abs().max(), confidence)


def group_means(table: pd.DataFrame, *, by: str, value: str, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Returns what :func:`means` returns, for each level of a column of a tidy table, indexed by level.

    Args:
        table: One row a measurement; a missing value is left out.
        by: The column whose levels are the groups.
        value: The column that was measured.
        confidence: Of the intervals.

    Raises:
        ValueError: If a column is missing, or the values are no numbers.
    """
    require(table, (by, value))
    if len(table) and not is_numeric_dtype(table[value]):
        raise ValueError(f"the column {value!r} holds {table[value].dtype}, not numbers")
    groups = table.groupby(by, sort=False, observed=True)[value]
    frame = pd.DataFrame({"n": groups.count(), "mean": groups.mean(), "sd": groups.std(ddof=1)})
    return _with_interval(frame, groups.max().abs(), confidence)


def _with_interval(frame: pd.DataFrame, scale: pd.Series, confidence: float) -> pd.DataFrame:
    probability(confidence, "a confidence")
    # Equal values can leave a standard deviation of a rounding error, which must not pass for a precise measurement.
    frame["sd"] = frame["sd"].mask(frame["sd"] <= 1e-9 * scale, 0.0)
    freedom = (frame["n"] - 1).where(frame["n"] > 1)
    half = stdtrit(freedom, (1 + confidence) / 2) * frame["sd"] / np.sqrt(frame["n"].clip(lower=1))
    return frame.assign(low=frame["mean"] - half, high=frame["mean"] + half)
