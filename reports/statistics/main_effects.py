"""Main effects of a factorial as contrasts of its arms: each level against the baseline's, the other factors averaged.

Where every pair of arms that differ in the factor alone was run, the contrast is the mean difference over these pairs.
In a fraction there are no such pairs; there it is the level's coefficient, at the average of the other factors, in the
model of the design (main effects, and the interactions that it was made for), fitted to its arms by least squares.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Group = tuple[str, ...]


class MainEffect(NamedTuple):
    """The main effect of one level.

    Attributes:
        factors: The factor, or those that move together.
        level: Of the first of them.
        weights: A number an arm: the effect is the weighted sum of the arms' scores. They sum to 0. Empty where the
            usable arms don't tell the effect.
        pairs: The arms that differ in the factor alone, (at the level, at the baseline's), usable or not; none in a
            fraction.
    """

    factors: Group
    level: Any
    weights: pd.Series
    pairs: tuple[tuple[Any, Any], ...]

    @property
    def spread(self) -> float:
        """Its SD over seeds, in SDs of a difference of two arms, if all arms scatter alike and each by itself."""
        return float(np.sqrt((self.weights**2).sum() / 2))


def main_effects(
    levels: pd.DataFrame,
    baseline: Mapping[str, Hashable],
    *,
    groups: Sequence[Group] | None = None,
    usable: Collection[Hashable] | None = None,
    fraction: bool = False,
    terms: Sequence[Sequence[str]] = (),
) -> Iterator[MainEffect]:
    """Yields the main effect of every level but the baseline's, factor by factor.

    Args:
        levels: One row an arm, one column a factor.
        baseline: The reference level of each factor.
        groups: The factors, those that move together in one group; by default each by itself.
        usable: The arms that have a result; by default all.
        fraction: Whether the arms are a fraction by intention.
        terms: Of a fraction, the interactions that it was made for, each by its factors.
    """
    own = [(name,) for name in levels.columns] if groups is None else [tuple(group) for group in groups]
    own = [group for group in own if levels[group[0]].nunique(dropna=False) > 1]
    has = set(levels.index if usable is None else usable)
    kept = [arm for arm in levels.index if arm in has]
    yield from _fitted(levels, baseline, own, kept, terms) if fraction else _averaged(levels, baseline, own, has)


def _averaged(
    levels: pd.DataFrame, base: Mapping[str, Hashable], groups: Sequence[Group], usable: set[Any]
) -> Iterator[MainEffect]:
    for group in groups:
        others = [name for name in levels.columns if name not in group]
        settings = list(zip(*(levels[name] for name in others), strict=True)) if others else [()] * len(levels)
        arm_of = dict(zip(zip(levels[group[0]], settings, strict=True), levels.index, strict=True))
        for level in levels[group[0]].unique():
            pairs = tuple(
                (arm_of[level, setting], arm_of[base[group[0]], setting])
                for setting in dict.fromkeys(settings)
                if (level, setting) in arm_of and (base[group[0]], setting) in arm_of
            )
            if level == base[group[0]] or not pairs:
                continue
            both = [pair for pair in pairs if usable.issuperset(pair)]
            weights = pd.Series(0.0, index=levels.index if both else levels.index[:0])
            for changed, unchanged in both:
                weights[changed] += 1 / len(both)
                weights[unchanged] -= 1 / len(both)
            yield MainEffect(group, level, weights, pairs)


def _fitted(
    levels: pd.DataFrame, base: Mapping[str, Hashable], groups: Sequence[Group], kept: list[Any], asked: Any
) -> Iterator[MainEffect]:
    cells, columns = levels.loc[kept], [np.ones((len(kept), 1))]
    places: dict[tuple[Group, Any], int] = {}
    steps: dict[Group, Matrix] = {}
    for group in groups:
        names = list(cells[group[0]].unique())
        reference = base[group[0]] if base[group[0]] in names else next(iter(names), None)
        stepped = [level for level in names if level != reference]
        steps[group] = _steps(cells[group[0]], stepped, len(names))
        start = sum(block.shape[1] for block in columns)
        if reference == base[group[0]]:
            places |= {(group, level): start + number for number, level in enumerate(stepped)}
        columns.append(steps[group])
    products = [
        _product([steps[group] for group in groups if set(group) & set(term)]) for term in asked if len(term) > 1
    ]
    coded = np.hstack([*columns, *products])
    whole = len(cells) > 0 and np.linalg.matrix_rank(coded) == coded.shape[1]
    solved = np.linalg.pinv(coded) if whole else coded.T
    for group in groups:
        for level in levels[group[0]].unique():
            if level == base[group[0]]:
                continue
            told = whole and (group, level) in places
            weights = pd.Series(solved[places[group, level]], index=kept) if told else pd.Series(dtype=float)
            yield MainEffect(group, level, weights, ())


def _steps(levels: pd.Series, stepped: Sequence[object], number: int) -> Matrix:
    """Returns a column for each of these levels: 1 where an arm has it, less the share of a level."""
    columns = [(levels == level).to_numpy(float) - 1 / number for level in stepped]
    return np.column_stack(columns) if columns else np.empty((len(levels), 0))


def _product(parts: Sequence[Matrix]) -> Matrix:
    product = np.ones((len(parts[0]), 1))
    for part in parts:
        product = (product[:, :, None] * part[:, None, :]).reshape(len(part), -1)
    return product
