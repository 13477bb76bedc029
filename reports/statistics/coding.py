"""Factors as columns of a linear model, and what a contrast is in terms of its coefficients."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Inestimable(ValueError):
    """An effect that these arms can't tell; the message names it, and what is missing."""


@dataclass(frozen=True)
class Factor:
    """A factor, or several that move together.

    Attributes:
        names: Of the columns.
        levels: The baseline's first, as text.
        codes: The level of each arm, as an index.
    """

    names: tuple[str, ...]
    levels: tuple[str, ...]
    codes: NDArray[np.intp]

    @property
    def name(self) -> str:
        return " & ".join(self.names)


@dataclass(frozen=True)
class Term:
    """A main effect, or an interaction of several factors."""

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        if len(self.factors) == 1:
            return self.factors[0].name
        return ":".join(f"({factor.name})" if len(factor.names) > 1 else factor.name for factor in self.factors)

    def columns(self) -> Floats:
        """Returns its columns of the model, arms x degrees of freedom: products of the factors' sum-to-zero columns."""
        product = np.ones((len(self.factors[0].codes), 1))
        for factor in self.factors:
            own = _sum_to_zero(len(factor.levels))[factor.codes]
            product = (product[:, :, None] * own[:, None, :]).reshape(len(product), -1)
        return product

    def contrasts(self) -> Floats:
        """Returns the coefficients of its contrasts, one a row: each combination of levels against the baseline's."""
        product = np.ones((1, 1))
        for factor in self.factors:
            rows = _sum_to_zero(len(factor.levels))
            product = np.kron(product, rows[1:] - rows[0])
        return product

    def levels(self) -> list[str]:
        """Returns the levels that its contrasts step to."""
        return [":".join(levels) for levels in itertools.product(*(factor.levels[1:] for factor in self.factors))]

    @property
    def against(self) -> str:
        return ":".join(factor.levels[0] for factor in self.factors)


@dataclass(frozen=True)
class Coding:
    """The factors of an experiment, those that move together as one."""

    factors: tuple[Factor, ...]

    def of(self, names: Sequence[str]) -> tuple[Factor, ...]:
        """Returns the factors of these names, each once, in the experiment's order.

        Raises:
            ValueError: If there is no such factor.
        """
        known = {name for factor in self.factors for name in factor.names}
        for name in names:
            if name not in known:
                raise ValueError(f"a term names {name!r}; the factors are {', '.join(sorted(known))}")
        return tuple(factor for factor in self.factors if set(factor.names) & set(names))


def code(
    arms: pd.DataFrame, factors: Sequence[str], baseline: Mapping[str, Hashable]
) -> tuple[Coding, tuple[tuple[str, ...], ...]]:
    """Returns the factors of these arms, and the groups of them that are linked: one's level tells the other's."""
    singles = [_factor(arms, name, baseline) for name in factors]
    groups: list[list[Factor]] = []
    for factor in singles:
        group = next((group for group in groups if _linked(group[0], factor)), None)
        if group is None:
            groups.append([factor])
        else:
            group.append(factor)
    linked = tuple(tuple(factor.name for factor in group) for group in groups if len(group) > 1)
    return Coding(tuple(_joined(group) for group in groups)), linked


def terms_up_to(coding: Coding, order: int) -> list[Term]:
    """Returns the main effects, then the interactions of two factors, and so on."""
    sizes = range(1, min(order, len(coding.factors)) + 1)
    return [Term(chosen) for size in sizes for chosen in itertools.combinations(coding.factors, size)]


def _factor(arms: pd.DataFrame, name: str, baseline: Mapping[str, Hashable]) -> Factor:
    values = arms[name]
    if name not in baseline or not (values == baseline[name]).any():
        raise ValueError(f"the baseline's level of {name} is not in the table: {baseline.get(name)!r}")
    codes, levels = pd.factorize(pd.Index([baseline[name], *values]))
    if len(levels) == 1:
        raise Inestimable(f"{name} has one level, {levels[0]}: there is nothing to compare")
    return Factor((name,), tuple(map(str, levels)), codes[1:])


def _linked(one: Factor, other: Factor) -> bool:
    both = set(zip(one.codes.tolist(), other.codes.tolist(), strict=True))
    return len(both) == len(one.levels) == len(other.levels) and (0, 0) in both


def _joined(group: list[Factor]) -> Factor:
    if len(group) == 1:
        return group[0]
    first = group[0]
    places = [int(np.flatnonzero(first.codes == number)[0]) for number in range(len(first.levels))]
    levels = (" & ".join(factor.levels[factor.codes[place]] for factor in group) for place in places)
    return Factor(tuple(factor.name for factor in group), tuple(levels), first.codes)


def _sum_to_zero(levels: int) -> Floats:
    """Returns a row a level: the identity, and -1 throughout for the last, so that effects sum to zero over levels."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])
