"""What the page knows of single arms: their difference from the baseline, spec, seeds and curves, embedded once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from reports.documents import Entry
from reports.table import COSTS, LATENCIES, Table

PARTS = ("network", "train", "data")
MOST_ARMS = 1000
MOST_POINTS = 60_000  # of learning curves: about half a megabyte
TRIAL = ("phase", "seed", "status", "reason", "val_accuracy", "train_accuracy", "test_accuracy", "train_seconds")


def details(table: Table, wanted: Collection[str]) -> dict[str, Any]:
    """Returns what the page's panel of an arm is filled from.

    Args:
        table: The run.
        wanted: The arms that the page names somewhere; the baseline is always among them.

    Returns:
        ``baseline`` (its id), ``spec`` (its network, recipe and data), ``arms`` (each with its ``diff`` to show, and
        the ``patch`` that makes the baseline's spec its own), ``columns`` of the trials, ``every`` (n: curves hold each
        n-th epoch, and the last) and ``left`` (arms that were left out).
    """
    asked, listed = set(wanted), set(table.arms.index)
    named = [arm for arm in table.documents if arm in asked and arm in listed]
    shown = [table.baseline, *(arm for arm in named if arm != table.baseline)][: MOST_ARMS + 1]
    trials = table.trials[table.trials["arm"].isin(shown)]
    epochs = table.epochs[table.epochs["trial"].isin(trials["trial"])].dropna(subset=["val_accuracy"])
    every = max(1, math.ceil(len(epochs) / MOST_POINTS))
    known = table.arms.loc[shown, ["label", "status", "reason", *COSTS, *LATENCIES]].to_dict("index")
    rows, curves = _trials(trials), _curves(epochs, every)
    base = table.documents[table.baseline]
    return {
        "baseline": table.baseline,
        "spec": {part: base.document(part) for part in PARTS if base.text(part)},
        "columns": list(TRIAL),
        "every": every,
        "left": len({table.baseline, *named}) - len(shown),
        "arms": {
            arm: _arm(known[arm], table.documents[arm], base)
            | {"trials": rows.get(arm, []), "curves": curves.get(arm, [])}
            for arm in shown
        },
    }


def patch(base: Any, own: Any, path: tuple[str | int, ...] = ()) -> list[list[Any]]:
    """Returns the steps that turn plain data into other plain data: [path, value] to set, [path] to take away."""
    if isinstance(base, dict) and isinstance(own, dict):
        steps = [[[*path, key]] for key in base if key not in own]
        for key, value in own.items():
            steps += patch(base[key], value, (*path, key)) if key in base else [[[*path, key], value]]
        return steps
    if isinstance(base, list) and isinstance(own, list) and len(base) == len(own):
        pairs = enumerate(zip(base, own, strict=True))
        return [step for index, (one, other) in pairs for step in patch(one, other, (*path, index))]
    return [] if base == own and type(base) is type(own) else [[list(path), own]]


def _arm(row: Mapping[Any, Any], entry: Entry, base: Entry) -> dict[str, Any]:
    diff = [[step["path"], step["baseline"], step["arm"]] for step in entry.document("diff") or ()]
    known = {name: row[name] for name in ("label", "status", "reason")}
    costs = {name: row[name] for name in (*COSTS, *LATENCIES) if row[name] == row[name]}
    return {
        **known,
        "costs": costs,
        "diff": diff,
        "patch": [step for part in PARTS for step in _steps(part, base, entry)],
    }


def _steps(part: str, base: Entry, own: Entry) -> list[list[Any]]:
    """Returns the steps from the baseline's document to an arm's; most are the same to the letter."""
    if base.text(part) == own.text(part):
        return []
    if not own.text(part):
        return [[[part]]]
    return patch(base.document(part), own.document(part), (part,))


def _trials(trials: pd.DataFrame) -> dict[str, list[list[Any]]]:
    columns = [_plain(trials[name]) for name in TRIAL]
    found: dict[str, list[list[Any]]] = {}
    for arm, *row in zip(trials["arm"].tolist(), *columns, strict=True):
        found.setdefault(arm, []).append(row)
    return found


def _curves(epochs: pd.DataFrame, every: int) -> dict[str, list[dict[str, Any]]]:
    """Returns an arm's curves: of each trial its phase, seed, epochs, and validation accuracy, to five digits."""
    found: dict[str, list[dict[str, Any]]] = {}
    codes = pd.factorize(epochs["trial"])[0]
    order = np.argsort(codes, kind="stable")  # trial by trial, each in the order of its epochs
    ends = np.flatnonzero(np.diff(codes[order], append=-1)) + 1
    columns = [epochs[name].iloc[order].tolist() for name in ("arm", "phase")]
    numbers = [epochs[name].iloc[order] for name in ("seed", "epoch", "val_accuracy")]
    seeds, counted, reached = numbers[0].tolist(), numbers[1].astype(int).tolist(), numbers[2].round(5).tolist()
    for start, end in pairwise([0, *ends.tolist()]):
        x, y = counted[start:end], reached[start:end]
        if every > 1:
            x, y = [*x[:-1:every], x[-1]], [*y[:-1:every], y[-1]]
        curve = {"phase": columns[1][start], "seed": int(seeds[start]), "y": y}
        if x != list(range(1, len(x) + 1)):
            curve["x"] = x
        found.setdefault(columns[0][start], []).append(curve)
    return found


def _plain(column: pd.Series) -> list[Any]:
    if column.name == "seed":
        return [int(value) if value == value else None for value in column.tolist()]
    if column.dtype.kind == "f":
        return [None if value != value else value for value in column.round(5).tolist()]
    return column.astype(str).tolist()
