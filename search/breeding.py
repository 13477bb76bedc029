"""What proposers of our own have in common: what they have proposed, and a resumed search that goes the same way."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.designs.base import Proposal
from search.factors import Choice
from search.genes import Genes, Key, key

if TYPE_CHECKING:
    from search.arms import Arm
    from search.designs.search import Search
    from search.plan import Plan


class Breeder(ABC):
    """A proposer that breeds arms from those whose scores it has learned."""

    def __init__(self, plan: Plan, design: Search) -> None:
        self._plan, self._design = plan, design
        self._genes = Genes(plan.space)
        self._dead: set[Key] = set()  # arms that are there, or are known not to run
        self._asked: dict[int, Choice] = {}
        self._number = self._accepted = self._draws = 0

    def ask(self) -> Proposal:
        # Seeded by how far the search is, so that a resumed one proposes what an uninterrupted one would have.
        generator = random.Random(f"{self._design.sampler_seed}/{self._accepted}/{self._draws}")
        self._draws += 1
        choice, arm = self._bred(generator)
        self._number += 1
        self._asked[self._number] = choice
        return Proposal(self._number, choice, arm)

    def accept(self, number: int) -> dict[str, Any]:
        self._accepted, self._draws = self._accepted + 1, 0
        self._dead.add(key(self._asked[number]))
        return {}

    def tell(self, number: int, values: Mapping[str, float] | None) -> None:
        choice = self._asked.pop(number)
        if values is not None:
            self._learn(choice, values)

    @abstractmethod
    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Takes what an arm that was told of has reached since."""

    def recall(self, choice: Choice, values: Mapping[str, float]) -> None:
        self._learn(choice, values)

    def remember(self, choice: Choice, values: Mapping[str, float] | None, memo: Mapping[str, Any]) -> None:
        self._accepted += 1
        self._dead.add(key(choice))
        if values is not None:
            self._learn(choice, values)

    @abstractmethod
    def _bred(self, generator: random.Random) -> tuple[Choice, Arm | None]:
        """Returns the next choice, and what the plan makes of it where that was looked at."""

    @abstractmethod
    def _learn(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Takes an arm's scores."""
