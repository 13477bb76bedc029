"""Evolution of arms along the front of accuracy and cost, with a model that looks before it trains.

What Optuna can't know is known here: what an arm costs before it is trained, which arms can't run, and which are the
same network: of children, none of either is proposed. Arms that are drawn at random are not looked at first.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.breeding import Breeder
from search.draw import draw
from search.factors import Choice
from search.genes import Key, key
from search.seen import Seen
from search.surrogate import Surrogate, one_thread

if TYPE_CHECKING:
    from search.arms import Arm
    from search.designs.search import Search
    from search.plan import Plan

Array = NDArray[np.float64]

CHILDREN, STRANGERS = 96, 16
"""Children of the front, and arms drawn at random, that the model looks at before one of them is proposed."""
RANDOM = 0.1
"""How often an arm is drawn at random whatever the model says, so that no region is given up for good."""
TRIES = 12
"""How many of the best children are tried before chance takes over: some can't run, or are there already."""
FLOOR = 1e-3
"""Errors are compared as logarithms, and this much is added: between 0.1% and none there is only luck."""


class EvolutionProposer(Breeder):
    """Proposes children of the best arms at every cost.

    A child changes a variable or two of an arm near the front, or mixes two of them. Of many children a model of the
    scores so far, drawn from its posterior, chooses the one that would add most to the hypervolume of accuracy and log
    cost, over the root of its own cost: cheap arms tell as much and take less.

    Where arms are stopped early, the model knows how long each was trained, from all lengths of all arms, and asks what
    they would reach in the end.

    Args:
        share: How strongly cost counts against a child: its MACs to this power divide what it would add.
    """

    def __init__(self, plan: Plan, design: Search, share: float) -> None:
        super().__init__(plan, design)
        self._share = share
        self._stops = design.early_stopping is not None
        self._errors = Surrogate(self._genes.count + self._stops)
        self._costs = Surrogate(self._genes.count, lasting=True)
        self._costly = next((name for name in design.objectives if name != "val_accuracy"), None)
        self._seen = Seen(self._errors, self._stops)
        self._places: dict[Key, int] = {}

    def _bred(self, generator: random.Random) -> tuple[Choice, Arm | None]:
        if len(self._seen.choices) < self._design.startup or generator.random() < RANDOM:
            return draw(self._plan.space, generator), None
        return self._best_child(generator)

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        numbers, error = self._at(self._genes.numbers(choice), values["share"]), _error(values)
        self._errors.learn(numbers, error)
        self._seen.go_on(self._places[key(choice)], numbers, error)

    def _learn(self, choice: Choice, values: Mapping[str, float]) -> None:
        genes, error = self._genes.numbers(choice), _error(values)
        cost = math.log(values[self._costly or "macs"])
        counted = 0.0 if self._costly is None else cost
        whole, reached = self._at(genes, 1.0), self._at(genes, values["share"])
        self._errors.learn(reached, error)
        self._costs.learn(genes, cost)
        self._places[key(choice)] = len(self._seen.choices)
        self._seen.add(choice, whole, reached, counted, error)

    def _at(self, numbers: Array, share: float) -> Array:
        """Returns an arm's numbers with the length of its training, on a log scale, where lengths differ."""
        if not self._stops:
            return numbers
        return np.append(numbers, 1 + math.log(share) / 2)

    def _best_child(self, generator: random.Random) -> tuple[Choice, Arm | None]:
        dice = np.random.default_rng(generator.getrandbits(64))
        mean, drawn = self._errors.drawn(dice)
        expected = self._costs.mean()
        with one_thread():
            costs, errors = self._seen.costs.all, self._seen.errors(mean)
        front = self._seen.front(errors)
        children = [self._child(front, generator) for _ in range(CHILDREN)]
        children += [draw(self._plan.space, generator) for _ in range(STRANGERS)]
        theirs = self._genes.rows(children)
        their_costs = self._costs.scores(theirs, expected)
        if self._stops:
            theirs = np.column_stack([theirs, np.ones(len(theirs))])  # as of their full length
        at = np.zeros_like(their_costs) if self._costly is None else their_costs
        gains = _gains(costs[front], errors[front], at, self._errors.scores(theirs, drawn))
        worth = gains * np.exp(-self._share * (their_costs - their_costs.min()))
        for index in np.argsort(-worth, kind="stable")[:TRIES]:
            child = children[int(index)]
            if (known := key(child)) in self._dead:
                continue
            if (arm := self._plan.judge(child)).status == "run":
                return child, arm
            self._dead.add(known)
        return draw(self._plan.space, generator), None

    def _child(self, front: NDArray[np.int64], generator: random.Random) -> Choice:
        place = generator.randrange(len(front))
        parent = self._seen.choices[int(front[place])]
        if len(front) > 1 and generator.random() < 0.25:
            beside = place + 1 if place + 1 < len(front) else place - 1
            parent = self._genes.crossed(parent, self._seen.choices[int(front[beside])], generator)
        return self._genes.changed(parent, generator)


def _error(values: Mapping[str, float]) -> float:
    return math.log(1 - values["val_accuracy"] + FLOOR)


def _gains(costs: Array, errors: Array, their_costs: Array, their_errors: Array) -> Array:
    """Returns by how much each of some arms would add to the area above a front, in accuracy times log cost.

    The area ends a little beyond the dearest arm of the front, and 5 points below the worst accuracy on it.
    """
    end = max(costs[-1], float(their_costs.max())) + 0.1
    stops = np.append(costs[1:], end)
    accuracy, theirs = -np.exp(errors), -np.exp(their_errors)
    worst = accuracy[0] - 0.05
    cheaper = np.maximum(theirs - worst, 0) * np.maximum(costs[0] - their_costs, 0)  # to the left of the front
    widths = np.maximum(stops[None] - np.maximum(costs[None], their_costs[:, None]), 0)
    heights = np.maximum(theirs[:, None] - accuracy[None], 0)
    gains: Array = cheaper + (widths * heights).sum(1)
    return gains
