"""Spaces of networks compared by random samples of them, as in "On Network Design Spaces" (Radosavovic et al. 2019).

A sample must be random: an adaptive search's arms are not a sample of its space, and nothing here can tell.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import kolmogorov, stdtr, stdtrit

from reports.statistics.distribution import Floats, effective_size, sample
from reports.statistics.tidy import require


@dataclass(frozen=True)
class SpaceDifference:
    """The second space against the first; all in the unit of the error.

    Attributes:
        mean: Mean error of the second minus that of the first: the area between their curves.
        mean_low: Lower end of its 95% interval.
        mean_high: Its upper end.
        mean_p: Two-sided.
        area: Area under the second's curve up to ``upper``, minus that of the first: more area, better networks.
        area_low: Lower end of its 95% interval.
        area_high: Its upper end.
        area_p: Two-sided.
        upper: The error up to which areas are taken.
        ks: The largest distance between the two curves (Kolmogorov and Smirnov).
        ks_p: Its p value: exact without weights; with weights from the limiting distribution at the effective sizes.
        sizes: The effective sizes of the two samples.
    """

    mean: float
    mean_low: float
    mean_high: float
    mean_p: float
    area: float
    area_low: float
    area_high: float
    area_p: float
    upper: float
    ks: float
    ks_p: float
    sizes: tuple[float, float]


def compare_spaces(
    table: pd.DataFrame,
    *,
    first: Hashable,
    second: Hashable,
    by: str = "space",
    error: str = "error",
    weight: str | None = None,
    upper: float | None = None,
) -> SpaceDifference:
    """Compares two spaces by random samples of their networks.

    Areas are means: the area under an EDF up to u is the mean of max(u - error, 0), so that both summaries are
    differences of weighted means, with the standard error sqrt(sum w^2 (x - mean)^2 n / (n - 1)) of each (weights
    summing to 1), and Welch's t interval with effective sizes.

    Args:
        table: One row a network.
        first: The space that is compared with.
        second: The space that is compared.
        by: The column that names spaces.
        error: The column of errors.
        weight: A column of weights, as of :func:`equalising_weights`; by default none.
        upper: As far as areas are taken; by default the median of all errors, which looks at each space's better half.

    Raises:
        ValueError: If a column or a space is missing, or a space has fewer than two networks of any weight.
    """
    require(table, [name for name in (by, error, weight) if name is not None])
    for space in (first, second):
        if not (table[by] == space).any():
            raise ValueError(f"the space {space!r} is not in the column {by!r}")
    own = [table[table[by] == space] for space in (first, second)]
    samples = [sample(part[error], None if weight is None else part[weight]) for part in own]
    for space, (values, _) in zip((first, second), samples, strict=True):
        if len(values) < 2:
            raise ValueError(f"the space {space!r} has {len(values)} networks of any weight; at least 2 are wanted")
    top = float(np.median(np.concatenate([values for values, _ in samples]))) if upper is None else upper
    means = _difference(*samples)
    areas = _difference(*(((top - values).clip(min=0), weights) for values, weights in samples))
    sizes = (effective_size(samples[0][1]), effective_size(samples[1][1]))
    return SpaceDifference(*means, *areas, top, *_smirnov(*samples, weighted=weight is not None), sizes)


def _difference(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> tuple[float, float, float, float]:
    """Returns the second's weighted mean minus the first's, its interval and p."""
    means, variances, freedoms = [], [], []
    for values, weights in (first, second):
        mean, size = float(values @ weights), effective_size(weights)
        means.append(mean)
        freedoms.append(max(size - 1, 1.0))
        variances.append(float((weights**2 * (values - mean) ** 2).sum()) * len(values) / (len(values) - 1))
    lost = means[1] - means[0]
    variance = sum(variances)
    if variance <= 0:
        return lost, np.nan, np.nan, np.nan
    freedom = variance**2 / sum(own**2 / degrees for own, degrees in zip(variances, freedoms, strict=True))
    half = float(stdtrit(freedom, 0.975)) * np.sqrt(variance)
    p = 2 * float(stdtr(freedom, -abs(lost) / np.sqrt(variance)))
    return lost, float(lost - half), float(lost + half), p


def _smirnov(first: tuple[Floats, Floats], second: tuple[Floats, Floats], *, weighted: bool) -> tuple[float, float]:
    if not weighted:
        from scipy.stats import ks_2samp

        found = ks_2samp(first[0], second[0])
        return float(found.statistic), float(found.pvalue)
    places = np.unique(np.concatenate([first[0], second[0]]))
    curves = []
    for values, weights in (first, second):
        order = np.argsort(values)
        sums = np.r_[0.0, np.cumsum(weights[order])]
        curves.append(sums[np.searchsorted(values[order], places, side="right")])
    distance = float(np.abs(curves[0] - curves[1]).max())
    sizes = effective_size(first[1]), effective_size(second[1])
    return distance, float(kolmogorov(distance * np.sqrt(sizes[0] * sizes[1] / sum(sizes))))
