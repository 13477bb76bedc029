"""Evolution in which arms die of age, however good they are, so that a lucky score does not rule for ever."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from search.breeding import Breeder
from search.draw import draw
from search.factors import Choice
from search.genes import Key, key
from search.nondominated import fronts

if TYPE_CHECKING:
    from search.arms import Arm
    from search.designs.search import Search
    from search.plan import Plan

TRIES = 20
"""So many children are made in search of one that wasn't proposed yet."""


class AgeingProposer(Breeder):
    """Changes the best of a few arms, drawn from those that came last.

    Args:
        population: How many of the last arms may have children.
        sample: How many are drawn, of which the best has one.
    """

    def __init__(self, plan: Plan, design: Search, population: int, sample: int) -> None:
        super().__init__(plan, design)
        self._population, self._sample = population, sample
        self._scored: dict[Key, tuple[Choice, tuple[float, ...]]] = {}  # in the order of their birth

    def _bred(self, generator: random.Random) -> tuple[Choice, Arm | None]:
        full = len(self._scored) >= self._population
        return (self._child(generator) if full else draw(self._plan.space, generator)), None

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Learns nothing: only scores at the first rung, which all arms have, can be held against each other."""

    def _learn(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Takes an arm's scores; an arm that an earlier run knew stays as old as it is."""
        self._scored[key(choice)] = (
            choice,
            tuple(
                -values[name] if name == "val_accuracy" else math.log(values[name]) for name in self._design.objectives
            ),
        )

    def _child(self, generator: random.Random) -> Choice:
        alive = list(self._scored.values())[-self._population :]
        for _ in range(TRIES):
            few = generator.sample(alive, min(self._sample, len(alive)))
            best = fronts([point for _, point in few])[0]
            child = self._genes.changed(few[generator.choice(best)][0], generator)
            if key(child) not in self._dead:
                return child
        return draw(self._plan.space, generator)
