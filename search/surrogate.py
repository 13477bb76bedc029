"""A quick model of what arms will score: Bayesian linear regression on all products of two of their numbers.

Fitting takes a few milliseconds however many arms there are: it sees them through their moments alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STALE = 20
"""A mean that lasts is made again when a twentieth has been added to what it was made of."""

ROUNDS = 20
"""Steps of the fixed-point iteration for the two precisions; it has settled long before."""


class Surrogate:
    """Weights w with prior N(0, 1/alpha) and noise of variance 1/beta, both found by their evidence (MacKay 1992,
    "Bayesian interpolation", Neural Computation 4).

    Attributes:
        size: How many weights there are.

    Args:
        count: Numbers that describe an arm.
        lasting: Whether its ``mean`` is wanted.
    """

    def __init__(self, count: int, lasting: bool = False) -> None:
        self._lasting, self._next = lasting, 1
        pairs = [(i, j) for i in range(count) for j in range(i, count)]
        self._first, self._second = (np.array(part, dtype=int) for part in zip(*pairs, strict=True))
        self.size = size = 1 + count + len(pairs)
        self._gram, self._moment = np.zeros((size, size)), np.zeros(size)
        self._square, self._total, self._n = 0.0, 0.0, 0
        self._due: tuple[Array, Array, float, float, int] | None = None
        self._settled = np.zeros(size)

    def learn(self, numbers: Array, score: float) -> None:
        """Takes an arm's numbers and its score."""
        row = self.expanded(numbers[None])[0]
        self._gram += row[:, None] * row
        self._moment += row * score
        self._square, self._total, self._n = self._square + score**2, self._total + score, self._n + 1
        if self._lasting and self._n >= self._next:
            self._due = self._gram.copy(), self._moment.copy(), self._square, self._total, self._n
            self._next = self._n + 1 + self._n // STALE

    def mean(self) -> Array:
        """Returns the mean of the posterior of the weights, as of the last time that the scores had grown by a
        ``STALE``th: a model that is hardly noisy needs no more."""
        if self._due is not None:
            self._settled, _ = self._posterior(*self._due, np.random.default_rng(0))
            self._due = None
        return self._settled

    def drawn(self, generator: np.random.Generator) -> tuple[Array, Array]:
        """Returns the mean of the posterior of the weights, and a draw from it (Thompson 1933)."""
        return self._posterior(self._gram, self._moment, self._square, self._total, self._n, generator)

    @staticmethod
    def _posterior(
        gram: Array, moment: Array, square: float, total: float, n: int, generator: np.random.Generator
    ) -> tuple[Array, Array]:
        mean = total / n
        moment = moment - mean * gram[0]  # of the scores less their mean, which no prior should pull at 0
        square = square - n * mean**2
        with one_thread():
            values, vectors = np.linalg.eigh(gram)
        values, turned = np.clip(values, 0, None), vectors.T @ moment
        alpha, beta = 1.0, n / max(square, 1e-12)
        for _ in range(ROUNDS):
            weights = turned * beta / (alpha + beta * values)
            known = float((beta * values / (alpha + beta * values)).sum())
            left = max(square - 2 * float(weights @ turned) + float(values @ weights**2), 1e-12)
            alpha = max(known, 1e-6) / max(float(weights @ weights), 1e-12)
            beta = max(n - known, 1e-3) / left
        weights = turned * beta / (alpha + beta * values)
        noise = generator.standard_normal(len(weights)) / np.sqrt(alpha + beta * values)
        found, draw = vectors @ weights, vectors @ (weights + noise)
        found[0], draw[0] = found[0] + mean, draw[0] + mean
        return found, draw

    def scores(self, numbers: Array, weights: Array) -> Array:
        """Returns the scores that weights give to arms, one a row."""
        scored: Array = self.expanded(numbers) @ weights
        return scored

    def expanded(self, numbers: Array) -> Array:
        """Returns arms' numbers, one arm a row, with a 1 before them and their products behind: what weights are of."""
        products = numbers[:, self._first] * numbers[:, self._second]
        return np.concatenate([np.ones((len(numbers), 1)), numbers, products], axis=1)


def one_thread() -> AbstractContextManager[Any]:
    """Has linear algebra take one thread: beside trials, threads that wait for each other take 50 times as long."""
    limit: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limit


@cache
def _blas() -> Any:
    """Returns what sets how many threads numpy's linear algebra takes; looking for its libraries takes a while."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
