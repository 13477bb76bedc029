"""Evolution in which arms die of age, however good they are, so that a lucky score does not rule for ever."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.designs.base import Proposal
from search.draw import draw
from search.factors import Choice
from search.genes import Genes, Key, key
from search.nondominated import fronts

if TYPE_CHECKING:
    from search.designs.search import Search
    from search.plan import Plan

TRIES = 20
"""So many children are made in search of one that wasn't proposed yet."""


class AgeingProposer:
    """Changes the best of a few arms, drawn from those that came last.

    Args:
        population: How many of the last arms may have children.
        sample: How many are drawn, of which the best has one.
    """

    def __init__(self, plan: Plan, design: Search, population: int, sample: int) -> None:
        self._space, self._design = plan.space, design
        self._population, self._sample = population, sample
        self._genes = Genes(plan.space)
        self._scored: dict[Key, tuple[Choice, tuple[float, ...]]] = {}  # in the order of their birth
        self._proposed: set[Key] = set()
        self._asked: dict[int, Choice] = {}
        self._number = self._accepted = self._draws = 0

    def ask(self) -> Proposal:
        # Seeded by how far the search is, so that a resumed one proposes what an uninterrupted one would have.
        generator = random.Random(f"{self._design.sampler_seed}/{self._accepted}/{self._draws}")
        self._draws += 1
        full = len(self._scored) >= self._population
        choice = self._child(generator) if full else draw(self._space, generator)
        self._number += 1
        self._asked[self._number] = choice
        return Proposal(self._number, choice)

    def accept(self, number: int) -> dict[str, Any]:
        self._accepted, self._draws = self._accepted + 1, 0
        self._proposed.add(key(self._asked[number]))
        return {}

    def tell(self, number: int, values: Mapping[str, float] | None) -> None:
        choice = self._asked.pop(number)
        if values is not None:
            self._learn(choice, values)

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Learns nothing: only scores at the first rung, which all arms have, can be held against each other."""

    def recall(self, choice: Choice, values: Mapping[str, float]) -> None:
        self._learn(choice, values)

    def remember(self, choice: Choice, values: Mapping[str, float] | None, memo: Mapping[str, Any]) -> None:
        self._accepted += 1
        self._proposed.add(key(choice))
        if values is not None:
            self._learn(choice, values)

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
            if key(child) not in self._proposed:
                return child
        return draw(self._space, generator)
