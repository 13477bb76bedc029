"""Which points are among the best so far, by the non-dominated order, told point by point.

Putting all points in order again whenever one comes takes time that grows with the square of their number. A new point
changes little: it joins a front, what it beats there moves to the next, what that beats moves one further, and so on
(Li, Deb, Zhang and Kwong 2017, "Efficient nondominated level update method for steady-state evolutionary multiobjective
optimization", IEEE Transactions on Cybernetics 47). In every coordinate less is better.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.nondominated import spread

Point = tuple[float, ...]


class Best:
    """The best of what has come so far: those of the non-dominated order of all of it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._points: list[Point] = []
        self._told: set[int] = set()
        self._fronts: _Fronts | None = None
        self._whole = 0  # so many fronts were among the best with all their points
        self._cut: tuple[list[int], int] | None = None  # what was looked at last, and for how many

    def add(self, name: str, point: Point, count: int) -> list[str]:
        """Takes a point and its name.

        Args:
            count: How many are the best now; never fewer than before.

        Returns:
            The names of those that are among the best now and never were before, the best first.
        """
        self._fronts = fronts = self._fronts or _fronts(len(point))
        self._names.append(name)
        self._points.append(point)
        number = min(self._whole, fronts.add(point))  # what is before that is as it was
        left, found = count - fronts.before(number), list[int]()
        while left > 0:
            front = fronts.front(number)
            if (front, left) != self._cut and not self._told.issuperset(front):
                self._cut = front, left
                found += [place for place in spread(self._points, front, left) if place not in self._told]
            number += len(front) <= left
            left -= len(front)
        self._whole = number
        self._told.update(found)
        return [self._names[place] for place in found]


class _Fronts(Protocol):
    def add(self, point: Point) -> int:
        """Takes a point; returns the number of the first front that is another now."""
        ...

    def front(self, number: int) -> list[int]:
        """Returns the places of a front's points, in the order of the points."""
        ...

    def before(self, number: int) -> int:
        """Returns how many points the fronts before one hold."""
        ...


def _fronts(coordinates: int) -> _Fronts:
    kinds: dict[int, type[_Fronts]] = {1: _Ranking, 2: _Staircases}
    return kinds.get(coordinates, _Levels)()


class _Ranking:
    """In one coordinate every point is a front of its own: which of equal ones comes first is told by their places."""

    def __init__(self) -> None:
        self._order: list[tuple[float, int]] = []

    def add(self, point: Point) -> int:
        new = point[0], len(self._order)
        insort(self._order, new)
        return bisect_left(self._order, new)

    def front(self, number: int) -> list[int]:
        return [self._order[number][1]]

    def before(self, number: int) -> int:
        return number


class _Staircases:
    """In two coordinates a front falls in the second as it rises in the first, so that places in it are found by
    halving, and what moves to the next front is one piece (Buzdalov, Yakupov and Stankevich 2015, GECCO)."""

    def __init__(self) -> None:
        self._fronts: list[list[tuple[float, float, int]]] = []
        self._count = 0

    def add(self, point: Point) -> int:
        moving = [(point[0], point[1], self._count)]
        self._count += 1
        first = number = bisect_left(self._fronts, True, key=lambda front: not _has_beaten(front, point))
        while moving:
            if number == len(self._fronts):
                self._fronts.append([])
            front, least = self._fronts[number], moving[-1][1]
            begin = bisect_left(front, moving[0])
            end = bisect_right(front, -least, lo=begin, key=lambda other: -other[1])
            beaten = front[begin:end]
            front[begin:end] = moving
            moving, number = beaten, number + 1
        return first

    def front(self, number: int) -> list[int]:
        return [place for _, _, place in self._fronts[number]]

    def before(self, number: int) -> int:
        return sum(map(len, self._fronts[:number]))


def _has_beaten(front: list[tuple[float, float, int]], point: Point) -> bool:
    """Whether a point of a staircase beats another: of those no farther in the first coordinate the last is least in
    the second."""
    place = bisect_right(front, (point[0], np.inf, 0))
    if place == 0:
        return False
    first, second, _ = front[place - 1]
    return second <= point[1] and (first, second) != point


class _Levels:
    """In any number of coordinates, by comparing the points of whole fronts."""

    def __init__(self) -> None:
        self._values: NDArray[np.float64] | None = None
        self._level = np.zeros(0, dtype=int)

    def add(self, point: Point) -> int:
        new = np.array([point], dtype=float)
        before = new[:0] if self._values is None else self._values
        beating = self._level[_beating(before, new)[:, 0]]
        first = number = int(beating.max(initial=-1)) + 1
        values, moving = np.concatenate([before, new]), np.array([len(before)])
        self._values, self._level = values, np.append(self._level, -1)
        while len(moving):
            here = np.flatnonzero(self._level == number)
            self._level[moving] = number
            moving, number = here[_beating(values[moving], values[here]).any(0)], number + 1
        return first

    def front(self, number: int) -> list[int]:
        assert self._values is not None
        places = np.flatnonzero(self._level == number)
        return [int(place) for place in places[np.lexsort(self._values[places].T[::-1])]]

    def before(self, number: int) -> int:
        return int((self._level < number).sum())


def _beating(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns which of some points, in rows, beat which of others, in columns."""
    left, right = ones[:, None], others[None]
    return np.asarray((left <= right).all(2) & (left < right).any(2), dtype=bool)
