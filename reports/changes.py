"""What an arm changes against the baseline, in words."""

from __future__ import annotations

from typing import NamedTuple

from reports.table import Table


class Change(NamedTuple):
    """A change: in words ("expansion 4 → 6"), its factor ("expansion"), and its level ("6")."""

    words: str
    factor: str
    level: str


def describe(table: Table, arm: str) -> Change:
    """Returns what an arm changes; a twin changes what the arm does that it is the twin of."""
    label = str(table.arms.at[arm, "label"])
    if arm == table.baseline:
        return Change(label, "baseline", label)
    original = table.arms.at[arm, "match_of"]
    if original is not None and original in table.arms.index:
        return describe(table, str(original))
    base, own = table.levels.loc[table.baseline], table.levels.loc[arm]
    changed = [column for column in table.levels.columns if own[column] is not None and own[column] != base[column]]
    if table.design.kind == "list" or not changed:
        return Change(label, "arms", label)
    factor = next((f.name for f in table.factors if set(changed) <= set(f.columns)), " and ".join(changed))
    words = ", ".join(step(column, base[column], own[column]) for column in changed)
    return Change(words, factor, ", ".join(str(own[column]) for column in changed))


def step(column: str, base: object, level: object) -> str:
    """Returns a step in words: "expansion 4 → 6", or "block → basic" where the baseline's level has no name."""
    return f"{column} → {level}" if base == "baseline" else f"{column} {base} → {level}"
