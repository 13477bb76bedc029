"""What evolution has seen: arms with their scores, in arrays that grow, which no proposal makes anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.factors import Choice
from search.surrogate import Surrogate

Array = NDArray[np.float64]


FEW = 16
"""Up to so many new arms are put in order one by one."""


class Rows:
    """Rows of an array that grows: twice as long whenever it is full.

    Args:
        width: Numbers in a row; without one, a row is a number.
    """

    def __init__(self, *width: int) -> None:
        self._held, self._count = np.empty((64, *width)), 0

    def add(self, row: Array | float) -> None:
        """Adds a row."""
        if self._count == len(self._held):
            self._held = np.concatenate([self._held, np.empty_like(self._held)])
        self._held[self._count] = row
        self._count += 1

    @property
    def all(self) -> Array:
        """All rows, not copied."""
        return self._held[: self._count]


class Seen:
    """Arms that have a score.

    Attributes:
        choices, costs: One an arm.

    Args:
        model: Whose weights ``errors`` is given.
        stops: Whether arms are trained for different lengths.
    """

    def __init__(self, model: Surrogate, stops: bool) -> None:
        self._model, self._stops = model, stops
        self.choices: list[Choice] = []
        self._order = np.zeros(0, np.int64)
        self.costs, self._observed = Rows(), Rows()
        self._whole, self._reached = Rows(model.size), Rows(model.size)

    def add(self, choice: Choice, whole: Array, reached: Array, cost: float, error: float) -> None:
        """Adds an arm: its numbers at its full length, and at the length that it was trained for."""
        self.choices.append(choice)
        self.costs.add(cost)
        self._observed.add(error)
        self._whole.add(self._model.expanded(whole[None])[0])
        if self._stops:
            self._reached.add(self._model.expanded(reached[None])[0])

    def go_on(self, place: int, reached: Array, error: float) -> None:
        """Takes note that an arm was trained for longer."""
        self._observed.all[place] = error
        self._reached.all[place] = self._model.expanded(reached[None])[0]

    def front(self, errors: Array) -> NDArray[np.int64]:
        """Returns the places of the arms that none is as cheap and better than, the cheapest first."""
        costs, order = self.costs.all, self._in_order()
        best = np.minimum.accumulate(errors[order])
        better = order[np.concatenate([[True], best[1:] < best[:-1]])]
        cheaper_than_next = np.append(costs[better[:-1]] < costs[better[1:]], True)  # of equal costs the last is best
        front: NDArray[np.int64] = better[cheaper_than_next]
        return front

    def _in_order(self) -> NDArray[np.int64]:
        """Returns the places of all arms, the cheapest first; few new ones are put where they belong."""
        costs, held = self.costs.all, len(self._order)
        if len(costs) - held > FEW:
            self._order = np.argsort(costs, kind="stable")
            return self._order
        for place in range(held, len(costs)):
            at = np.searchsorted(costs[self._order], costs[place], side="right")
            self._order = np.insert(self._order, at, place)
        return self._order

    def errors(self, weights: Array) -> Array:
        """Returns what arms' errors are believed to be, by what was observed and by the model's mean."""
        expected = self._whole.all @ weights
        observed = self._observed.all
        if self._stops:  # what was stopped would have come further, as far as the model can tell
            observed = observed + expected - self._reached.all @ weights
        # A score is one noisy draw, and the model has seen them all: the truth is somewhere between.
        believed: Array = (observed + expected) / 2
        return believed
