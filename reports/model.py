"""The factorial model of a run: main effects and interactions, with the seed as a block."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from reports.lost import lost, what_was_lost
from reports.statistics import Factorial, Inestimable, factorial
from reports.table import Table

ABSENT = "–"  # the level of a factor that does not apply


@dataclass(frozen=True)
class Model:
    """What the model says, or why it was refused; ``factors`` are the columns that vary."""

    fit: Factorial | None
    refusal: str
    factors: tuple[str, ...]


@functools.lru_cache(maxsize=2)
def model(table: Table) -> Model | None:
    """Fits the model to the arms as they are, at their own cost; None for runs that are no factorial, or not begun."""
    if table.design.kind != "factorial":
        return None
    gone = lost(table)
    run = [arm for arm in table.cells if arm not in gone]
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    trials = trials[trials["arm"].isin(run)]
    if trials["val_accuracy"].count() == 0:
        return None
    levels = table.levels.astype(object).where(lambda own: own.notna(), ABSENT).astype(str)
    base: dict[str, Any] = {name: levels.at[table.baseline, name] for name in levels.columns}
    levels = levels.loc[run]
    varied = [str(column) for column in levels.columns if levels[column].nunique() > 1]
    rows = trials[["arm", "seed", "val_accuracy"]].join(levels[varied], on="arm")
    fraction = table.design.fraction or {}
    asked = fraction.get("terms")
    try:
        fit = factorial(
            rows,
            factors=varied,
            baseline={column: base[column] for column in varied},
            terms=None if asked is None else [term for term in asked if {*term} <= {*varied}],
            fraction=fraction.get("kind", "full") != "full",
            planned=max(len(table.design.seeds), int(trials["seed"].nunique())),
            margin=table.margin,
        )
    except ValueError as error:  # Inestimable is one
        kind = "" if isinstance(error, Inestimable) else "the model cannot be fitted: "
        without = f"; lost: {what_was_lost(table)}" if gone else ""
        return Model(None, f"{kind}{error}{without}", tuple(varied))
    return Model(fit, "", tuple(varied))
