"""Drawing from a space at random: to learn how much of it is feasible, and for when a sampler is stuck."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from search.factors import Choice, Level, Variable
from search.space import Space


def draw(space: Space, generator: random.Random) -> Choice:
    """Returns a choice drawn uniformly (log-uniformly in a log range), conditions respected."""
    choice: Choice = {}
    for variable in in_order(space):
        if space.active(variable, choice):
            level = _drawn(variable, space, generator)
            if level is not None:
                choice[variable.name] = level
    return choice


def in_order(space: Space) -> Iterator[Variable]:
    """Yields the free variables so that each comes after those that its ``when`` depends on."""
    done: set[str] = set()
    waiting = list(space.free)
    while waiting:
        ready = [
            variable for variable in waiting if variable.when.keys() <= done | (variable.when.keys() - _names(space))
        ]
        for variable in ready:
            yield variable
            done.add(variable.name)
        waiting = [variable for variable in waiting if variable not in ready]


def options(variable: Variable, space: Space) -> tuple[Level | None, ...]:
    """Returns a listed variable's levels, with None for the baseline's own value where that is one more."""
    own = any(level.label == variable.baseline for level in variable.levels)
    return variable.levels if own or not space.active(variable, {}) else (None, *variable.levels)


def _names(space: Space) -> set[str]:
    return {variable.name for variable in space.free}


def _drawn(variable: Variable, space: Space, generator: random.Random) -> Level | None:
    if variable.range is None:
        return generator.choice(options(variable, space))
    grid = None if variable.range.log else variable.range.grid()
    if grid is not None:
        return variable.level(generator.choice(grid))
    low, high = variable.range.low, variable.range.high
    if variable.range.log:
        value = math.exp(generator.uniform(math.log(low), math.log(high)))
        return variable.level(min(max(round(value), low), high) if variable.range.whole else value)
    return variable.level(generator.uniform(low, high))
