"""Choices as numbers, and small changes of them: what a model of arms and evolution work on."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.draw import draw, drawn
from search.factors import Choice, Level, Variable
from search.space import Space

TOGETHER = 0.3
"""How often all stages of a factor change at once, as one would make a network wider or deeper."""
SPREAD = 0.15
"""The deviation of a change within a range that has no end of numbers, in shares of the range."""


Key = frozenset[tuple[str, str]]
"""What a choice is known by: two that are equal have the same."""


def key(choice: Choice) -> Key:
    """Returns what a choice is known by."""
    return frozenset((name, level.label) for name, level in choice.items())


class Genes:
    """The variables of a space, each as numbers from -1 to 1: one for what has an order, one a level for what has none.

    A variable that is not varied under a choice is 0 throughout.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._variables = space.in_order
        self._conditional = [variable for variable in self._variables if variable.when]
        self._options = {variable.name: _options(variable, space) for variable in self._variables}
        self._ends = {variable.name: _ends(variable, self._options[variable.name]) for variable in self._variables}
        self._starts: dict[str, int] = {}
        self.count = 0
        for variable in self._variables:
            self._starts[variable.name] = self.count
            self.count += 1 if self._ends[variable.name] else len(self._options[variable.name])
        self._codes = [(variable, self._coded(variable)) for variable in self._variables]
        self._places = {name: _places(options) for name, options in self._options.items()}

    def numbers(self, choice: Choice) -> NDArray[np.float64]:
        """Returns a choice as numbers."""
        return np.array(self._numbers(choice))

    def rows(self, choices: Sequence[Choice]) -> NDArray[np.float64]:
        """Returns choices as numbers, a row each."""
        return np.array([self._numbers(choice) for choice in choices])

    def _numbers(self, choice: Choice) -> list[float]:
        found = [0.0] * self.count
        for variable, codes in self._codes:
            if variable.when and not self._space.active(variable, choice):
                continue
            level = choice.get(variable.name)
            label = level.label if level else None
            place, number = codes[label] if label in codes else self._code(variable, level)
            found[place] = number
        return found

    def _coded(self, variable: Variable) -> dict[str | None, tuple[int, float]]:
        """Returns the codes of what a variable may be, as far as that can be listed, by label."""
        levels = [None, *(level for level in self._options[variable.name] if level is not None)]
        return {level.label if level else None: self._code(variable, level) for level in levels}

    def _code(self, variable: Variable, level: Level | None) -> tuple[int, float]:
        """Returns which number of an arm a level sets, and to what."""
        start, ends = self._starts[variable.name], self._ends[variable.name]
        if ends:
            return start, _scaled(level.value if level else variable.base, ends)
        return start + _places(self._options[variable.name]).get(level.label if level else None, 0), 1.0

    def changed(self, choice: Choice, generator: random.Random) -> Choice:
        """Returns a choice with one variable, or all stages of one factor, a little otherwise; sometimes two."""
        found = dict(choice)
        for _ in range(1 if generator.random() < 0.6 else 2):
            active: Sequence[Variable] = self._variables
            if self._conditional:
                active = [variable for variable in active if self._space.active(variable, found)]
            chosen = generator.choice(active)
            up = generator.random() < 0.5
            together = generator.random() < TOGETHER
            for variable in [other for other in active if other.factor == chosen.factor] if together else [chosen]:
                self._set(found, variable, self._neighbour(variable, found.get(variable.name), up, generator))
        fresh: Choice | None = None
        for variable in self._conditional:  # what is varied may have changed
            if not self._space.active(variable, found):
                found.pop(variable.name, None)
            elif not self._space.active(variable, choice):
                fresh = draw(self._space, generator) if fresh is None else fresh
                level = fresh.get(variable.name)
                if level is None and not self._space.active(variable, {}):  # the fresh arm has none, nor the baseline
                    level = drawn(variable, self._space, generator)
                self._set(found, variable, level)
        return found

    def crossed(self, one: Choice, other: Choice, generator: random.Random) -> Choice:
        """Returns a choice that has each factor from one of two parents."""
        parents = {variable.factor: generator.choice((one, other)) for variable in self._variables}
        found: Choice = {}
        for variable in self._variables:
            if not self._space.active(variable, found):
                continue
            parent = parents[variable.factor]
            if variable.name not in parent and not self._space.active(variable, {}):
                parent = other if parent is one else one  # there is no baseline's own value to have in its place
            if variable.name in parent:
                found[variable.name] = parent[variable.name]
        return found

    def _neighbour(self, variable: Variable, level: Level | None, up: bool, generator: random.Random) -> Level | None:
        options, ends = self._options[variable.name], self._ends[variable.name]
        if options and ends:
            step = (1 if up else -1) * (1 if generator.random() < 0.7 else 2)
            return options[min(max(self._place(variable, level) + step, 0), len(options) - 1)]
        if options:
            here = self._place(variable, level)
            return options[generator.choice([place for place in range(len(options)) if place != here] or [here])]
        assert ends is not None
        place = _scaled(level.value if level else variable.base, ends) + 2 * generator.gauss(0, SPREAD)
        return variable.level(_unscaled(min(max(place, -1.0), 1.0), ends, variable))

    def _place(self, variable: Variable, level: Level | None) -> int:
        """Returns which of the options a level is; the first if it is none, as the baseline's own value may be."""
        return self._places[variable.name].get(level.label if level else None, 0)

    @staticmethod
    def _set(choice: Choice, variable: Variable, level: Level | None) -> None:
        choice.pop(variable.name, None)
        if level is not None:
            choice[variable.name] = level


Ends = tuple[float, float, bool]
"""The least and the largest number, as logarithms if so it says."""


def _options(variable: Variable, space: Space) -> list[Level | None]:
    """Returns what a variable may be, numbers in their order; nothing for a range without an end of numbers."""
    if variable.range is not None:
        return list(variable.listed() or ())
    options = list(space.options(variable))
    values = [level.value if level else variable.base for level in options]
    if all(_is_number(value) for value in values):
        options.sort(key=lambda level: level.value if level else variable.base)
    return options


def _ends(variable: Variable, options: Sequence[Level | None]) -> Ends | None:
    if variable.range is not None:
        low, high = variable.range.low, variable.range.high
    else:
        values = [level.value if level else variable.base for level in options]
        if not values or not all(_is_number(value) for value in values):
            return None
        low, high = min(values), max(values)
    if low == high:
        return None if options else (low, high, False)
    return (math.log(low), math.log(high), True) if low > 0 else (low, high, False)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scaled(value: object, ends: Ends) -> float:
    low, high, logarithmic = ends
    if not isinstance(value, (int, float)) or (logarithmic and value <= 0) or low == high:
        return 0.0
    place = math.log(value) if logarithmic else float(value)
    return min(max(2 * (place - low) / (high - low) - 1, -1.5), 1.5)  # the baseline's own may lie outside


def _unscaled(place: float, ends: Ends, variable: Variable) -> float:
    low, high, logarithmic = ends
    value = low + (place + 1) / 2 * (high - low)
    value = math.exp(value) if logarithmic else value
    assert variable.range is not None
    return round(value) if variable.range.whole else value


def _places(options: Sequence[Level | None]) -> dict[str | None, int]:
    """Returns which of the options has a label; the first of those that share one."""
    labels = [option.label if option else None for option in options]
    return {label: place for place, label in reversed(list(enumerate(labels)))}
