"""The non-dominated order: which points no other beats in every coordinate, then which only those do, and so on
(Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm").

In every coordinate less is better.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = Sequence[tuple[float, ...]]


def fronts(points: Points) -> list[list[int]]:
    """Returns the places of all points, front by front; equal points share one."""
    order = sorted(range(len(points)), key=lambda place: (points[place], place))
    if not order:
        return []
    return _of_few(points, order) if len(points[0]) <= 2 else _of_many(points, order)


def _of_few(points: Points, order: list[int]) -> list[list[int]]:
    """In one or two coordinates: as points come by the first, a front beats a point if its last one does in the second.

    The last ones' second coordinates rise from front to front, so that a point's own is found by halving.
    """
    found: list[list[int]] = []
    lasts: list[float] = []
    home, before = 0, None
    for place in order:
        point = points[place]
        if point != before:
            second = point[-1] if len(point) == 2 else 0.0
            home = bisect_right(lasts, second)
            found += [[]] if home == len(found) else []
            lasts[home : home + 1] = [second]
        found[home].append(place)
        before = point
    return found


def _of_many(points: Points, order: list[int]) -> list[list[int]]:
    values = np.array([points[place] for place in order], dtype=float)
    level = np.zeros(len(order), dtype=int)
    for index in range(1, len(order)):  # whatever beats a point comes before it
        before = values[:index]
        beaten = (before <= values[index]).all(1) & (before < values[index]).any(1)
        if beaten.any():
            level[index] = level[:index][beaten].max() + 1
    return [[order[index] for index in np.flatnonzero(level == front)] for front in range(level.max() + 1)]


def spread(points: Points, front: list[int], count: int) -> list[int]:
    """Returns ``count`` points of a front, all of it if it has no more.

    Each next one is the one that lies farthest from those before it, beginning with the least in the first coordinate,
    so that what is kept is spread over the front (Salinas et al., arXiv:2106.12639).
    """
    if count >= len(front):
        return front
    values = np.array([points[place] for place in front], dtype=float)
    width = np.ptp(values, axis=0)
    values = (values - values.min(0)) / np.where(width > 0, width, 1.0)
    chosen = [int(np.lexsort(values.T[::-1])[0])]
    distance = _distances(values, chosen[0])
    while len(chosen) < count:
        distance[chosen[-1]] = -1.0
        chosen.append(int(distance.argmax()))
        np.minimum(distance, _distances(values, chosen[-1]), out=distance)
    return [front[index] for index in chosen]


def _distances(values: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.sqrt(np.square(values - values[place]).sum(1))
    return found
