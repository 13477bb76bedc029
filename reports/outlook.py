"""What more seeds would buy: how many would decide what is open, and what they would cost by the run's own times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.comparisons import interactions
from reports.statistics import SIGNIFICANCE, Verdict, more_pairs, pairs_needed
from reports.table import Table

OPEN = (Verdict.NOT_DETECTED, Verdict.SUGGESTIVE)
MORE = (1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Outlook:
    """What more seeds would buy.

    Attributes:
        open: One row a comparison without a decision: change, at, effect, sd, pairs, planned, ``half_width`` (of its
            interval), ``target`` (the difference to be found: the study's margin, or else the half-width), ``needed``
            (seeds at which it would be found with 80% power at the family's strictest level; missing beyond 100,000),
            ``more``, ``trials`` and ``seconds``.
        seeds: One row a number of further seeds: what :func:`reports.statistics.more_pairs` says at the median scatter
            of the comparisons, with ``trials`` and ``seconds`` (wall time, all workers busy).
        arms: Arms that a further seed trains.
        trial_seconds: Mean time of a completed trial.
        level: The family's strictest level.
    """

    open: pd.DataFrame
    seeds: pd.DataFrame
    arms: int
    trial_seconds: float
    level: float


def outlook(table: Table, comparisons: pd.DataFrame) -> Outlook:
    """Returns what more seeds would buy; empty tables where no difference has an interval."""
    completed = table.phase("explore")
    completed = completed[completed["status"] == "completed"]
    trial = float(completed["train_seconds"].mean()) if len(completed) else float("nan")
    arms = int((table.arms["status"] == "run").sum())
    tested = comparisons[comparisons["p"].notna()] if len(comparisons) else comparisons
    if tested.empty:
        return Outlook(pd.DataFrame(), pd.DataFrame(), arms, trial, SIGNIFICANCE)
    family = _family(table, comparisons)
    level = SIGNIFICANCE / family
    rows = tested[tested["verdict"].isin(OPEN)][
        ["change", "at", "effect", "low", "high", "sd", "pairs", "planned"]
    ].copy()
    rows["half_width"] = (rows["high"] - rows["low"]) / 2
    rows["target"] = rows["half_width"] if table.margin is None else table.margin
    wanted = [
        pairs_needed(target, sd, level) for target, sd in zip(rows["target"].tolist(), rows["sd"].tolist(), strict=True)
    ]
    rows["needed"] = pd.Series(wanted, index=rows.index, dtype="float64")
    rows["more"] = (rows["needed"] - rows["pairs"]).clip(lower=0)
    typical, pairs = float(tested["sd"].median()), int(tested["pairs"].median())
    seeds = more_pairs(typical, max(pairs, 2), MORE, level).assign(sd=typical)
    seconds = trial / max(int(table.environment["workers"]), 1)
    for frame in (rows, seeds):
        frame["trials"] = frame["more"] * arms
        frame["seconds"] = frame["trials"] * seconds
    return Outlook(rows.drop(columns=["low", "high"]).reset_index(drop=True), seeds, arms, trial, level)


def _family(table: Table, comparisons: pd.DataFrame) -> int:
    if table.design.kind == "factorial":
        return len(comparisons) + len(interactions(table))
    made = comparisons.dropna(subset=["effect"])
    distinct = made.drop_duplicates(["arm", "against"]) if made["arm"].notna().all() else made
    return max(table.design.family or 0, len(distinct), 1)


def seeds_to_tell(gap: float, sd: float) -> int | None:
    """Returns the seeds of each of two arms at which a test at 5% tells them apart with 80% power."""
    if not (gap > 0 and sd > 0 and np.isfinite(sd)):
        return None
    return pairs_needed(gap, sd * np.sqrt(2))
