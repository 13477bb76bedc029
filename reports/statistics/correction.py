"""Correction for several comparisons in one family."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports.statistics.numbers import Numbers, series


def holm(p: Numbers, family: int | None = None) -> pd.Series:
    """Returns p values corrected by Holm's step-down method (Holm 1979), one each; missing ones stay missing.

    The i-th smallest of m becomes the largest of (m - j + 1) p_j over j = 1 ... i, at most 1.

    Args:
        p: Uncorrected p values: a list, an array, or a series, whose index the result has.
        family: Number of comparisons in the family; those beyond ``p`` count as p = 1. By default, all of ``p``.

    Raises:
        ValueError: If the family is smaller than the number of p values, or one of these is not from 0 to 1.
    """
    p = series(p, "p values")
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p values lie from 0 to 1: {p[(p < 0) | (p > 1)].iloc[0]} does not")
    size = len(p) if family is None else family
    if size < p.count():
        raise ValueError(f"a family of {size} cannot hold {p.count()} comparisons")
    known = p.dropna().sort_values(kind="stable")
    steps = known * (size - np.arange(len(known)))
    return pd.Series(steps.cummax().clip(upper=1.0).reindex(p.index))
