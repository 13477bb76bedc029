"""Main effects of a factorial: each level against the baseline's, the other factors averaged over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.changes import Change, steps, together
from reports.table import Table

Matrix = NDArray[np.float64]


class Effect(NamedTuple):
    """A main effect: the change, a weight an arm (they sum to 0), and how it was averaged, in words."""

    change: Change
    weights: pd.Series
    how: str


def main_effects(table: Table) -> Iterator[Effect]:
    """Yields the main effect of each level as a contrast of arms: the weighted sum of their accuracies.

    Where every pair of cells that differ in the factor alone was run, the contrast is the mean difference over them.
    In a fraction there are no such pairs; there it is the level's coefficient, at the average of the other factors, in
    the model of the design (main effects, and the interactions that it was made for), fitted to the cells by least
    squares. Factors linked by ``same_as`` move as one.
    """
    run = table.arms.index[
        (table.arms["status"] == "run") & (table.arms["match"] == "none") & table.arms["tuned_of"].isna()
    ]
    levels = table.levels.loc[run].astype(object)
    base: pd.Series = table.levels.loc[table.baseline]  # type: ignore[assignment]
    fraction = (table.design.fraction or {}).get("kind", "full") != "full"
    groups = [group for group in together(table) if levels[group[0]].nunique(dropna=False) > 1]
    asked = (table.design.fraction or {}).get("terms") or []
    yield from _fitted(levels, base, groups, asked) if fraction else _averaged(levels, base, groups)


def _averaged(levels: pd.DataFrame, base: pd.Series, groups: list[tuple[str, ...]]) -> Iterator[Effect]:
    for group in groups:
        others = [name for name in levels.columns if name not in group]
        settings = list(zip(*(levels[name] for name in others), strict=True)) if others else [()] * len(levels)
        arm_of = dict(zip(zip(levels[group[0]], settings, strict=True), levels.index, strict=True))
        for level in levels[group[0]].unique():
            pairs = [
                (arm_of[level, setting], arm_of[base[group[0]], setting])
                for setting in dict.fromkeys(settings)
                if (level, setting) in arm_of and (base[group[0]], setting) in arm_of
            ]
            if level == base[group[0]] or not pairs:
                continue
            weights = pd.Series(0.0, index=levels.index)
            for changed, unchanged in pairs:
                weights[changed] += 1 / len(pairs)
                weights[unchanged] -= 1 / len(pairs)
            how = f"mean of {len(pairs)} settings of the other factors"
            yield Effect(_change(group, base, levels.loc[pairs[0][0]]), weights, how)


def _fitted(
    levels: pd.DataFrame, base: pd.Series, groups: list[tuple[str, ...]], asked: Sequence[Sequence[str]]
) -> Iterator[Effect]:
    terms = [
        (group, level) for group in groups for level in levels[group[0]].unique() if level != base[group[0]]
    ]  # a column each
    steps = {group: _steps(levels[group[0]], base[group[0]]) for group in groups}
    products = [
        _product([steps[group] for group in groups if set(group) & set(term)]) for term in asked if len(term) > 1
    ]
    coded = np.hstack([np.ones((len(levels), 1)), *steps.values(), *products])
    if np.linalg.matrix_rank(coded) < coded.shape[1]:
        return  # too few cells to tell the main effects from each other
    solved = np.linalg.pinv(coded)
    for row, (group, level) in enumerate(terms, 1):
        example = levels[levels[group[0]] == level].iloc[0]
        weights = pd.Series(solved[row], index=levels.index)
        yield Effect(
            _change(group, base, example), weights, f"coefficient over the {len(levels)} cells of the fraction"
        )


def _steps(levels: pd.Series, base: object) -> Matrix:
    """Returns a column for each level but the baseline's: 1 where an arm has it, less the share of a level."""
    names = levels.unique()
    return np.column_stack([(levels == level).to_numpy(float) - 1 / len(names) for level in names if level != base])


def _product(parts: Sequence[Matrix]) -> Matrix:
    product = np.ones((len(parts[0]), 1))
    for part in parts:
        product = (product[:, :, None] * part[:, None, :]).reshape(len(part), -1)
    return product


def _change(group: tuple[str, ...], base: pd.Series, own: pd.Series) -> Change:
    columns = list(group)
    words = steps(columns, base[columns].tolist(), own[columns].tolist())
    return Change(words, " and ".join(columns), ", ".join(str(level) for level in own[columns]))
