"""Means with their t intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

CONFIDENCE = 0.95


def means(values: pd.DataFrame, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Returns n, mean, sd, low and high (the t interval of the mean) of each column, missing values left out.

    mean ± t(n - 1) sd / sqrt(n). The interval is missing with fewer than two values.
    """
    frame = pd.DataFrame({"n": values.count(), "mean": values.mean(), "sd": values.std(ddof=1)})
    return _with_interval(frame, values.abs().max(), confidence)


def group_means(table: pd.DataFrame, *, by: str, value: str, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Returns what :func:`means` returns, for each level of a column of a tidy table, indexed by level."""
    groups = table.groupby(by, sort=False, observed=True)[value]
    frame = pd.DataFrame({"n": groups.count(), "mean": groups.mean(), "sd": groups.std(ddof=1)})
    return _with_interval(frame, groups.max().abs(), confidence)


def _with_interval(frame: pd.DataFrame, scale: pd.Series, confidence: float) -> pd.DataFrame:
    # Equal values can leave a standard deviation of a rounding error, which must not pass for a precise measurement.
    frame["sd"] = frame["sd"].mask(frame["sd"] <= 1e-9 * scale, 0.0)
    freedom = (frame["n"] - 1).where(frame["n"] > 1)
    half = stdtrit(freedom, (1 + confidence) / 2) * frame["sd"] / np.sqrt(frame["n"].clip(lower=1))
    return frame.assign(low=frame["mean"] - half, high=frame["mean"] + half)
