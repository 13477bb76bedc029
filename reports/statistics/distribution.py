"""Empirical distributions of networks' errors, with a band around the whole curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics.numbers import Numbers, probability, series

Floats = NDArray[np.float64]


def edf(error: Numbers, weight: Numbers | None = None, confidence: float = 0.95) -> pd.DataFrame:
    """Returns the empirical distribution of the error: which share of networks is at most this wrong.

    F(e) = sum of the weights of errors of at most e (Radosavovic et al. 2019, eq. 1 and 2). The band holds the whole
    curve at once: F ± sqrt(ln(2 / (1 - confidence)) / (2 n)) (Dvoretzky, Kiefer and Wolfowitz 1956; Massart 1990),
    where n of a weighted sample is (sum w)^2 / sum w^2 (Kish 1965); tests.benchmarks.statistics measures how it covers.

    Args:
        error: One a network; missing ones are left out, with their weights.
        weight: Weights of at least 0; by default all the same.
        confidence: Of the band.

    Returns:
        One row a distinct error, ascending: ``error``, ``share``, ``low``, ``high``.

    Raises:
        ValueError: If an error is infinite, a weight is negative or missing, or no network has any weight.
    """
    probability(confidence, "a confidence")
    values, weights = sample(error, weight)
    order = np.argsort(values, kind="stable")
    values, share = values[order], np.cumsum(weights[order])
    last = np.r_[np.diff(values) > 0, True]
    values, share = values[last], share[last].clip(max=1.0)
    half = np.sqrt(np.log(2 / (1 - confidence)) / (2 * effective_size(weights)))
    low, high = (share - half).clip(min=0), (share + half).clip(max=1)
    return pd.DataFrame({"error": values, "share": share, "low": low, "high": high})


def effective_size(weights: Numbers) -> float:
    """Returns how many equally weighted networks would be as much as these: (sum w)^2 / sum w^2 (Kish 1965).

    Raises:
        ValueError: If there is no weight above 0, or one is negative, missing or no number.
    """
    plain = series(weights, "weights").to_numpy()
    if not (np.isfinite(plain) & (plain >= 0)).all() or not plain.any():
        raise ValueError("weights of at least 0, one of them above, are wanted")
    return float(plain.sum() ** 2 / (plain**2).sum())


def sample(error: Numbers, weight: Numbers | None) -> tuple[Floats, Floats]:
    """Returns the errors that are known and have a weight, and their weights, which sum to 1."""
    errors = series(error, "errors")
    values = errors.to_numpy(float)
    weights = np.ones(len(values)) if weight is None else series(weight, "weights", errors.index).to_numpy(float)
    if len(values) != len(weights):
        raise ValueError(f"{len(values)} errors and {len(weights)} weights")
    if np.isinf(values).any():
        raise ValueError("an error is infinite")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("a weight is negative or missing")
    used = ~np.isnan(values) & (weights > 0)
    if not used.any():
        raise ValueError("no network has an error and a weight")
    return values[used], weights[used] / weights[used].sum()
