"""All that the page says in numbers, computed once from the table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.arms import fold
from reports.comparisons import comparisons
from reports.frontier import bands
from reports.outlook import Outlook, outlook
from reports.statistics import effects
from reports.table import Table
from reports.trust import Counts, count_up
from reports.tuning import tuning


@dataclass(frozen=True)
class Findings:
    """A run and what follows from it.

    Attributes:
        table: The run.
        arms: One row an arm (:func:`reports.arms.fold`).
        comparisons: One row a declared comparison (:func:`reports.comparisons.comparisons`).
        bands: One row a limit of cost, for designs that declare no comparisons (:func:`reports.frontier.bands`).
        confirmed: One row an arm of the confirm phase, indexed by arm, with its paired difference from the baseline
            on the fresh seeds.
        counts: The books of trials and arms.
        tuning: One row an arm that found its own recipe (:func:`reports.tuning.tuning`).
        outlook: What more seeds would buy.
    """

    table: Table
    arms: pd.DataFrame
    comparisons: pd.DataFrame
    bands: pd.DataFrame
    confirmed: pd.DataFrame
    counts: Counts
    tuning: pd.DataFrame
    outlook: Outlook


def find(table: Table) -> Findings:
    """Computes the findings of a run."""
    arms = fold(table)
    searched = table.design.kind in ("search", "population")
    compared = comparisons(table)
    return Findings(
        table=table,
        arms=arms,
        comparisons=compared,
        bands=bands(table, arms if searched else arms.iloc[:0]),
        confirmed=_confirmed(table, arms),
        counts=count_up(table),
        tuning=tuning(table),
        outlook=outlook(table, compared),
    )


def _confirmed(table: Table, arms: pd.DataFrame) -> pd.DataFrame:
    columns = ["effect", "low", "high", "pairs"]
    trials = table.phase("confirm")
    trials = trials.drop_duplicates(["arm", "seed"])
    seen = arms.loc[arms.index.isin(trials["arm"])]
    if not (trials["arm"] == table.baseline).any():
        return seen.reindex(columns=[*arms.columns, *(f"gain_{column}" for column in columns)])
    gains = effects(trials, baseline=table.baseline, by="arm").set_index("arm")[columns].add_prefix("gain_")
    joined = seen.join(gains)
    return joined.sort_values("confirm_mean", ascending=False, kind="stable")
