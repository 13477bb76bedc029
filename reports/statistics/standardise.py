"""A paired effect in standard deviations of its differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln, nctdtrinc

from reports.statistics.numbers import Numbers, probability, series

NODES = 200


def standardised(
    effect: Numbers, sd: Numbers, pairs: Numbers, freedom: Numbers | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Returns Cohen's d_z with Hedges' correction, and the interval of the true d_z.

    d_z = effect / sd of the differences (Lakens 2013, "Calculating and reporting effect sizes to facilitate cumulative
    science", eq. 6), times J = gamma(f/2) / (sqrt(f/2) gamma((f-1)/2)) with f = pairs - 1 degrees of freedom, which
    takes away its bias (Hedges 1981). It is d_z, and not d_av, because what stands beside it, the test and its power,
    hang on d_z alone. Because shared seeds take noise out of the differences, it is no measure of size that could be
    compared with unpaired studies.

    The interval inverts the noncentral t distribution: t = sqrt(pairs) d_z has the noncentrality sqrt(pairs) times the
    true d_z (Steiger and Fouladi 1997). It holds the true d_z, and so needs no correction.

    Args:
        effect: Mean paired differences.
        sd: Standard deviations of the differences.
        pairs: Numbers of pairs. Under three the correction does not exist, and all is missing.
        freedom: Degrees of freedom of ``sd``; by default pairs - 1.
        confidence: Of the interval.

    Returns:
        Columns ``standardised``, ``standardised_low``, ``standardised_high``, indexed like ``effect``; one row for
        numbers.

    Raises:
        ValueError: If something is no number, they are not equally many, or the confidence is not between 0 and 1.
    """
    probability(confidence, "a confidence")
    effect = series(effect, "effect")
    sd, pairs = series(sd, "sd", effect.index), series(pairs, "pairs", effect.index)
    freedom = pairs - 1 if freedom is None else series(freedom, "freedom", effect.index)
    known = (freedom > 1) & (sd > 0) & effect.notna()
    degrees = freedom.where(known).to_numpy(float)
    scale = np.sqrt(pairs.where(known).to_numpy(float))
    ratio = (effect.where(known) / sd.where(known)).to_numpy(float)
    correction = np.exp(gammaln(degrees / 2) - gammaln((degrees - 1) / 2)) / np.sqrt(degrees / 2)
    t = ratio * scale
    tail = (1 - confidence) / 2
    return pd.DataFrame(
        {
            "standardised": ratio * correction,
            "standardised_low": _noncentralities(degrees, 1 - tail, t) / scale,
            "standardised_high": _noncentralities(degrees, tail, t) / scale,
        },
        index=effect.index,
    )


def _noncentralities(freedom: NDArray[np.float64], p: float, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the noncentralities at which a t of at most ``t`` has probability ``p``; missing where ``t`` is."""
    result = np.full(len(t), np.nan)
    for degrees in np.unique(freedom[~np.isnan(freedom)]):
        own = np.flatnonzero(freedom == degrees)
        result[own] = _solved(float(degrees), p, t[own])
    return result


def _solved(degrees: float, p: float, t: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(t) <= NODES:
        return np.asarray(nctdtrinc(degrees, p, t))
    # Thousands of arms: the curve is smooth, and straight at its ends, so a spline through some hundreds of its points
    # agrees with it to a ten-thousandth.
    from scipy.interpolate import CubicSpline

    stretched = np.arcsinh(t)
    nodes = np.linspace(stretched.min(), stretched.max(), NODES)
    curve = nctdtrinc(degrees, p, np.sinh(nodes)) / np.cosh(nodes)
    return np.asarray(CubicSpline(nodes, curve)(stretched) * np.cosh(stretched))
