"""All that the page says in numbers, computed once from the table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.arms import fold
from reports.comparisons import comparisons, interactions
from reports.fidelity import Fidelity, fidelity
from reports.frontier import Inflation, bands, inflation, unmet
from reports.noise import Noises, noises
from reports.outlook import Outlook, outlook
from reports.spaces import Population, population
from reports.statistics import confirmed_means, effects, shrinkage
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
        unmet: One row a limit that the study names and no arm meets (:func:`reports.frontier.unmet`).
        confirmed: One row an arm of the confirm phase, indexed by arm, with its paired difference from the baseline
            on the fresh seeds (``gain_effect`` ...) and what it is worth by both phases together, with its interval
            (``worth``, ``worth_low``, ``worth_high``: :func:`reports.statistics.confirmed_means`; missing where too few
            arms or seeds are complete).
        counts: The books of trials and arms.
        tuning: One row an arm that found its own recipe (:func:`reports.tuning.tuning`).
        outlook: What more seeds would buy.
        interactions: One row an interaction contrast of a factorial (:func:`reports.comparisons.interactions`).
        shrinkage: One row a finalist, and one for their mean (indexed None): what its gain over the baseline was when
            it was chosen, what it is on fresh seeds, and the difference with its interval
            (:func:`reports.statistics.shrinkage`).
        inflation: How much better than it is the best of the arms is expected to look, or None.
        noises: Seed noise and image noise told apart, or None without a record of images.
        fidelity: Whether short runs rank arms as full ones do, or None.
        population: The spaces of a population, or None.
    """

    table: Table
    arms: pd.DataFrame
    comparisons: pd.DataFrame
    bands: pd.DataFrame
    unmet: pd.DataFrame
    confirmed: pd.DataFrame
    counts: Counts
    tuning: pd.DataFrame
    outlook: Outlook
    interactions: pd.DataFrame
    shrinkage: pd.DataFrame
    inflation: Inflation | None
    noises: Noises | None
    fidelity: Fidelity | None
    population: Population | None


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
        unmet=unmet(table, arms if searched else arms.iloc[:0]),
        confirmed=_confirmed(table, arms),
        counts=count_up(table),
        tuning=tuning(table),
        outlook=outlook(table, compared),
        interactions=interactions(table) if table.design.kind == "factorial" else pd.DataFrame(),
        shrinkage=_shrinkage(table),
        inflation=inflation(table, arms),
        noises=noises(table),
        fidelity=fidelity(table),
        population=population(table),
    )


def _confirmed(table: Table, arms: pd.DataFrame) -> pd.DataFrame:
    columns = ["effect", "low", "high", "pairs"]
    trials = table.phase("confirm")
    trials = trials.drop_duplicates(["arm", "seed"])
    seen = arms.loc[arms.index.isin(trials["arm"])]
    # What a longer recipe does to each arm is not known beforehand: then the phases can't be taken together.
    own = len(trials) and _same_recipe(table)
    seen = seen.join(_worth(table.phase("explore") if own else trials, trials))
    if not (trials["arm"] == table.baseline).any():
        return seen.reindex(columns=[*seen.columns, *(f"gain_{column}" for column in columns)])
    gains = effects(trials, baseline=table.baseline, by="arm").set_index("arm")[columns].add_prefix("gain_")
    joined = seen.join(gains)
    return joined.sort_values("confirm_mean", ascending=False, kind="stable")


def _same_recipe(table: Table) -> bool:
    """Whether the confirm phase trains as long as the explore phase does."""
    longer = (table.study.get("confirm") or {}).get("epochs")
    return longer is None or longer == (table.study.get("train") or {}).get("epochs")


def _worth(explored: pd.DataFrame, confirmed: pd.DataFrame) -> pd.DataFrame:
    """Returns what finalists are worth by both phases: the best mean of fresh seeds is the best of several, too."""
    columns = {"shrunken": "worth", "low": "worth_low", "high": "worth_high"}
    first = explored.drop_duplicates(["arm", "seed"])
    try:
        return confirmed_means(first, confirmed, by="arm").rename(columns=columns)[list(columns.values())]
    except ValueError:  # it says which arms or seeds are too few; the page says how many there are
        return pd.DataFrame(columns=list(columns.values()), dtype=float)


def _shrinkage(table: Table) -> pd.DataFrame:
    """Compares the finalists' gains when they were chosen with those on fresh seeds."""
    chosen = [arm for arm in table.finalists if arm != table.baseline]
    wanted = [*chosen, table.baseline]
    phases = []
    for name in ("explore", "confirm"):
        trials = table.phase(name).drop_duplicates(["arm", "seed"])
        phases.append(trials[trials["arm"].isin(wanted)])
    scored = [set(phase.loc[phase["val_accuracy"].notna(), "arm"]) for phase in phases]
    if not chosen or any(table.baseline not in own for own in scored) or not set(chosen) & scored[0] & scored[1]:
        return pd.DataFrame()
    return shrinkage(*phases, by="arm", baseline=table.baseline)
