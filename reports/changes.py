"""What an arm changes against the baseline, in words, and which columns of factors move together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reports.table import Factor, Table

OFF = "off"  # the level at which a part of a leave-one-out study is taken away


class Change(NamedTuple):
    """A change: in words ("expansion 4 → 6"), its factor ("expansion"), and its level ("6")."""

    words: str
    factor: str
    level: str


def describe(table: Table, arm: str) -> Change:
    """Returns what an arm changes; a twin, or a tuned arm, changes what the arm does that it was made from."""
    label = str(table.arms.at[arm, "label"])
    if arm == table.baseline:
        return Change(label, "baseline", label)
    for origin in (table.arms.at[arm, "tuned_of"], table.arms.at[arm, "match_of"]):
        if origin is not None and origin in table.arms.index:
            return describe(table, str(origin))
    base, own = dict(table.levels.loc[table.baseline]), dict(table.levels.loc[arm])
    changed = [column for column in table.levels.columns if own[column] not in (None, "", base[column])]
    if table.design.kind == "list" or not changed:
        return Change(label, "arms", label)
    if table.design.kind == "leave_one_out":
        return _taken_off(table, arm, changed)
    factor = next((f.name for f in table.factors if set(changed) <= set(f.columns)), " and ".join(changed))
    words = steps(changed, [base[name] for name in changed], [own[name] for name in changed])
    return Change(words, factor, ", ".join(str(own[name]) for name in changed))


def bare(table: Table) -> str | None:
    """Returns the arm of a leave-one-out study that has every part off, or None where there is none."""
    if table.design.kind != "leave_one_out":
        return None
    off = (table.levels.loc[table.listed] == OFF).sum(axis=1)
    return str(off.idxmax()) if off.max() > 1 else None


def added(table: Table, arm: str) -> str | None:
    """Returns the one part that an arm, as it stands, adds to the bare recipe, or None if it isn't such an arm.

    Of two parts, one alone is the full recipe without the other, and counts as that.
    """
    start = bare(table)
    if start is None or arm == start:
        return None
    parts = [str(part) for part, level in table.levels.loc[start].items() if level == OFF]
    left = [part for part in parts if table.levels.at[arm, part] != OFF]
    return left[0] if len(left) == 1 and len(parts) > 2 else None


def _taken_off(table: Table, arm: str, changed: Sequence[str]) -> Change:
    part = added(table, arm)
    if part is not None:
        return Change(f"{part} added to bare", "bare recipe", f"+ {part}")
    if arm == bare(table):
        return Change("every part off", "bare recipe", "bare")
    return Change(f"without {' and '.join(changed)}", " and ".join(changed), OFF)


def steps(columns: Sequence[str], base: Sequence[object], levels: Sequence[object]) -> str:
    """Returns a change of several columns in words: "width 8 → 16, groups 2 → 4"."""
    return ", ".join(step(column, one, other) for column, one, other in zip(columns, base, levels, strict=True))


def step(column: str, base: object, level: object) -> str:
    """Returns a step in words: "expansion 4 → 6", or "block → basic" where the baseline's level has no name."""
    return f"{column} → {level}" if base == "baseline" else f"{column} {base} → {level}"


def together(table: Table) -> list[tuple[str, ...]]:
    """Returns the columns of the factors, those that are linked by ``same_as`` in one group, as they move together.

    A linked factor with as many columns as the one it follows moves with them one by one, else with all of them.
    """
    return moving(table.factors)


def moving(factors: Sequence[Factor]) -> list[tuple[str, ...]]:
    """Returns what :func:`together` does, of factors alone."""
    named = {factor.name: factor for factor in factors}
    groups = {column: [column] for factor in factors if not factor.same_as for column in factor.columns}
    for factor in factors:
        leader = _leader(factor, named)
        if leader is factor:
            groups |= {column: [column] for column in factor.columns if column not in groups}
        elif len(leader.columns) == len(factor.columns):
            for own, led in zip(leader.columns, factor.columns, strict=True):
                groups[own].append(led)
        else:
            groups[leader.columns[0]].extend(factor.columns)
    return [tuple(group) for group in groups.values()]


def _leader(factor: Factor, named: dict[str, Factor]) -> Factor:
    seen = {factor.name}
    while factor.same_as in named and factor.same_as not in seen:
        seen.add(factor.same_as)
        factor = named[factor.same_as]
    return factor
