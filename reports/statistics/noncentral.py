"""The noncentral t distribution, as far as the power of a t test needs it.

The normal part of t is integrated over numerically, and given it, the test decides by the estimated standard deviation,
whose distribution is the chi-squared. (scipy.special.nctdtr is off by a third at one degree of freedom, and
scipy.stats.nct is missing at some large noncentralities.)
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, stdtrit


@functools.cache
def noncentrality(freedom: float, level: float, wanted: float) -> float:
    """Returns the noncentrality at which the t test has the wanted power, by bisection."""
    low, high = 0.0, 2 * float(stdtrit(freedom, 1 - level / 2)) + 10
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if found_with(freedom, middle, level) < wanted else (low, middle)
    return high


def found_with(freedom: float, noncentrality: float, level: float) -> float:
    """Returns the power: given the normal part of t, the test finds if the estimated deviation is small enough."""
    critical = float(stdtrit(freedom, 1 - level / 2))
    normal, weights = normal_part()
    return float(weights @ chdtr(freedom, freedom * ((normal + noncentrality) / critical) ** 2))


@functools.cache
def normal_part() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    normal = np.linspace(-9, 9, 6001)
    weights = np.exp(-(normal**2) / 2)
    return normal, weights / weights.sum()
