"""Main effects of a factorial: each level against the baseline's, the other factors averaged over.

At equal cost every cell is at the baseline's: its twin stands for it, so that the level's twins are held against those
of the baseline's level, setting by setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from reports.changes import Change, steps, together
from reports.lost import called, lost, some, what_of
from reports.statistics.main_effects import MainEffect
from reports.statistics.main_effects import main_effects as contrasts
from reports.table import Table

NEGLIGIBLE = 1e-12


class Effect(NamedTuple):
    """A main effect: the change, and how it was averaged, in words.

    Attributes:
        weights: A number an arm that stands for a cell; they sum to 0. Empty where there is nothing to compare.
        one_sided: Whether a setting is left out because an arm of one of both levels alone was lost there.
    """

    change: Change
    weights: pd.Series
    how: str
    one_sided: bool = False


def main_effects(table: Table, standing: Mapping[str, str]) -> Iterator[Effect]:
    """Yields the main effect of each level as a contrast of arms: the weighted sum of their accuracies.

    Settings of the other factors at which an arm was lost, or has no twin, are left out. Factors linked by ``same_as``
    move as one. See :mod:`reports.statistics.main_effects`.

    Args:
        standing: Which arm stands for each cell: itself, its twin, or the one with the recipe that was found for it.
    """
    run = table.cells
    levels = table.levels.loc[run].astype(object)
    base: dict[str, Any] = {name: table.levels.at[table.baseline, name] for name in table.levels.columns}
    usable = [arm for arm in run if arm in standing and standing[arm] not in lost(table)]
    fraction = table.design.fraction or {}
    is_fraction = fraction.get("kind", "full") != "full"
    found = contrasts(
        levels, base, groups=together(table), usable=usable, fraction=is_fraction, terms=fraction.get("terms") or ()
    )
    for effect in found:
        columns = list(effect.factors)
        own = levels[levels[columns[0]] == effect.level].iloc[0]
        change = Change(
            steps(columns, [base[name] for name in columns], own[columns].tolist()),
            " and ".join(columns),
            ", ".join(str(level) for level in own[columns]),
        )
        weights = effect.weights[effect.weights.abs() > NEGLIGIBLE]
        weights = weights.groupby([standing[arm] for arm in weights.index], sort=False).sum()
        weights = weights[weights.abs() > NEGLIGIBLE]
        said = _in_fraction(table, run, standing, effect) if is_fraction else _averaged(table, standing, effect)
        if weights.empty and len(effect.weights):
            said = "nothing is left of it: both levels have the same networks"
        yield Effect(change, weights, said, _one_sided(table, standing, effect))


def _averaged(table: Table, standing: Mapping[str, str], effect: MainEffect) -> str:
    absent = [arm for arm in dict.fromkeys(arm for pair in effect.pairs for arm in pair) if arm not in standing]
    gone = _gone(table, standing, [arm for pair in effect.pairs for arm in pair])
    kept = sum(not {*absent, *gone} & {*pair} for pair in effect.pairs)
    reasons = _reasons(table, standing, absent, gone, {arm for pair in effect.pairs for arm in pair})
    if not kept:
        return f"nothing to compare without {reasons}"
    if kept == len(effect.pairs):
        return f"mean of {kept} settings of the other factors" if kept > 1 else ""
    one = " on one side alone, so that it never counts as detected" if _one_sided(table, standing, effect) else ""
    return f"mean of {kept} of {len(effect.pairs)} settings of the other factors, without {reasons}{one}"


def _in_fraction(table: Table, run: pd.Index, standing: Mapping[str, str], effect: MainEffect) -> str:
    gone = _gone(table, standing, list(run))
    if len(effect.weights):
        of = f" of {len(run)}" if gone else ""
        lacking = f", without {_reasons(table, standing, [], gone)}" if gone else ""
        return f"coefficient over the {len(run) - len(gone)}{of} cells of the fraction{lacking}"
    return f"nothing to compare: the cells that are left, without {_reasons(table, standing, [], gone)}, do not tell it"


def _gone(table: Table, standing: Mapping[str, str], arms: list[str]) -> list[str]:
    return [arm for arm in dict.fromkeys(arms) if arm in standing and standing[arm] in lost(table)]


def _reasons(
    table: Table, standing: Mapping[str, str], absent: list[str], gone: list[str], among: set[str] | None = None
) -> str:
    said = []
    if gone:
        said.append(f"{some(called(table, gone, among))}, which {what_of(table, [standing[arm] for arm in gone])}")
    if absent:
        said.append(f"{some(called(table, absent, among))}, which {'is' if len(absent) == 1 else 'are'} unmatched")
    return " and ".join(said)


def _one_sided(table: Table, standing: Mapping[str, str], effect: MainEffect) -> bool:
    sides = [[standing.get(arm) in lost(table) for arm in pair] for pair in effect.pairs]
    return any(any(side) and not all(side) for side in sides) and not all(any(side) for side in sides)
