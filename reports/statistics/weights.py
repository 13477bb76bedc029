"""Weights that make samples of spaces comparable at equal cost."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from reports.statistics.numbers import Numbers, series


def equalising_weights(cost: Numbers, space: pd.Series | Sequence[Hashable], bins: int = 10) -> pd.Series:
    """Returns weights under which all spaces have the same distribution of cost.

    Costs are cut into bins of equal width in log cost, over the range that all spaces share; each bin in which every
    space has a network gets the same weight, shared equally by a space's networks in it (Radosavovic et al. 2019,
    section 3.3, "Controlling for complexity"). Networks elsewhere get no weight, since they have nothing to be compared
    with.

    Args:
        cost: One a network, positive; a series gives the result its index.
        space: Which space each network is from.
        bins: How many bins.

    Returns:
        Indexed like ``cost``; the weights of each space sum to 1.

    Raises:
        ValueError: If a cost is not a positive number, there are no bins, or the spaces share no cost.
    """
    cost, space = series(cost, "cost"), pd.Series(space)
    if len(cost) != len(space) or space.isna().any():
        raise ValueError(f"{len(cost)} costs and {space.count()} names of spaces: one of each is wanted a network")
    values = cost.to_numpy(float)
    if not (np.isfinite(values) & (values > 0)).all() or bins < 1:
        raise ValueError("costs that are positive numbers, and at least one bin, are wanted")
    logs = pd.Series(np.log(values), index=cost.index)
    ranges = logs.groupby(space.to_numpy()).agg(["min", "max"])
    low, high = float(ranges["min"].max()), float(ranges["max"].min())
    if low > high:
        raise ValueError("the spaces have no cost in common")
    place = np.floor((logs - low) / max(high - low, 1e-12) * bins).clip(upper=bins - 1)
    place = place.mask(logs.gt(high + 1e-12) | logs.lt(low - 1e-12)).mask(logs.sub(high).abs() <= 1e-12, bins - 1)
    counts = pd.crosstab(place.to_numpy(), space.to_numpy())
    shared = counts.index[(counts > 0).all(axis=1)]
    if not len(shared):
        raise ValueError(f"no bin of cost has a network of every space: fewer than {bins} bins may do")
    own = place.groupby([place.to_numpy(), space.to_numpy()]).transform("size")
    weights: pd.Series = (1 / (own * len(shared))).where(place.isin(shared), 0.0)
    return weights.rename("weight")
