"""What each arm's own recipe was found to be, and what finding it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.table import Table

COLUMNS = ["arm", "label", "tuned", "own", "values", "kept", "own_score", "score", "gain", "candidates", "ended"]


def tuning(table: Table) -> pd.DataFrame:
    """Returns one row an arm that was tuned, in the study's order.

    Columns: arm, label, ``tuned`` (the arm that has the chosen values), ``own`` and ``values`` (a mapping from path to
    value: the study's, and the chosen ones), ``kept`` (whether the study's own were the best), ``own_score``,
    ``score`` (validation accuracy of the one trial of each that chose; missing where it did not complete), ``gain``
    (score less own_score), ``candidates`` (values tried, the budget) and ``ended`` (how many of them completed).
    """
    found: Mapping[str, Any] = (table.tuning or {}).get("arms") or {}
    rows = []
    for arm in [name for name in table.arms.index if name in found]:
        entry = found[arm]
        completed = [each for each in entry["candidates"] if each["status"] == "completed"]
        own, best = _number(entry["own_score"]), _number(entry["score"])
        rows.append(
            {
                "arm": arm,
                "label": table.entry(arm)["label"],
                "tuned": entry["tuned"],
                "own": entry["own"],
                "values": entry["values"] or {},
                "kept": entry["tuned"] in (arm, None),
                "own_score": own,
                "score": best,
                "gain": best - own,
                "candidates": len(entry["candidates"]),
                "ended": len(completed),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def names(table: Table) -> list[str]:
    """Returns what was tuned, by the last part of its path ("lr"), or all of it where two would read alike."""
    paths = list((table.tuning or {}).get("paths") or {})
    short = [path.rpartition(".")[2] for path in paths]
    return short if len(set(short)) == len(short) else paths


def values_of(table: Table, arm: str) -> str:
    """Returns the tuned values that an arm trains with, in words: "0.03", or "0.03 and 0.0005" for two paths."""
    origin = table.arms.at[arm, "tuned_of"] or arm
    entry = ((table.tuning or {}).get("arms") or {}).get(origin)
    if entry is None:
        return "its own"
    values = entry["own"] if origin == arm else entry["values"]
    return in_words(values)


def in_words(values: Mapping[str, Any]) -> str:
    """Returns values as text, numbers with four digits."""
    return " and ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values.values())


def _number(value: Any) -> float:
    return float("nan") if value is None or value == "" else float(value)
