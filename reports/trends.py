"""Numeric factors: accuracy at each level."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from reports.arms import fold
from reports.changes import together
from reports.comparisons import DECLARED
from reports.lost import lost
from reports.statistics import group_means, means
from reports.table import Table

COLUMNS = ["factor", "series", "level", "mean", "low", "high", "n", "over"]
MOST_LEVELS, BINS = 12, 8
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def trends(table: Table) -> pd.DataFrame:
    """Returns one row a level of each numeric factor that has at least three.

    Columns: factor, series, level, mean, low, high, n, over.

    Where levels were declared, ``mean`` and its 95% t interval are over seeds (``over``: "seeds"): of the one arm that
    has the level, as it is, matched and tuned (``series``), or in a factorial of the mean over all its arms. Where arms
    were drawn or proposed they are over arms ("arms"), more than twelve levels in eight bins of equal counts, at their
    mean level.
    """
    kind = table.design.kind
    parts = []
    for group in together(table):
        levels = numeric(table.levels[group[0]])
        if levels is None or levels.nunique() < 3:
            continue
        if kind == "factorial":
            part = _over_settings(table, group, levels)
        elif kind in DECLARED:
            part = _over_seeds(table, group, levels)
        else:
            part = _over_arms(table, levels)
        parts.append(part.assign(factor=" and ".join(group)))
    every = pd.concat(parts)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)
    return every.reset_index(drop=True)


def numeric(levels: pd.Series) -> pd.Series | None:
    """Returns levels as numbers, missing where a factor does not apply; None if one of them is no number."""
    codes, known = pd.factorize(levels)  # a level that is missing has the last place
    if not len(known) or not all(NUMBER.fullmatch(str(level)) for level in known):
        return None
    return pd.Series(np.array([*map(float, known), np.nan])[codes], index=levels.index)


def _accuracy(table: Table) -> pd.DataFrame:
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    return trials.pivot(index="seed", columns="arm", values="val_accuracy")


def _over_seeds(table: Table, group: tuple[str, ...], levels: pd.Series) -> pd.DataFrame:
    """Takes the arms that differ from the baseline in this factor alone."""
    accuracy = _accuracy(table)
    others = [column for column in table.levels.columns if column not in group]
    alone = (table.levels[others] == table.levels.loc[table.baseline, others]).all(axis=1)
    arms = table.arms[alone & (table.arms["status"] == "run") & table.arms.index.isin(accuracy.columns)]
    series = np.where(arms["match"] == "none", "its own cost", "equal cost").astype(object)
    series = np.where(arms["tuned_of"].isna(), series, series + ", tuned")
    frame = means(accuracy[arms.index]).assign(level=levels[arms.index], series=series, over="seeds")
    base = frame[frame["level"] == levels[table.baseline]]
    kept = frame[frame["series"].isin(frame.loc[~frame.index.isin(base.index), "series"])]
    twins = [base[base["series"] == "its own cost"].assign(series="equal cost")] if "equal cost" in series else []
    every: pd.DataFrame = pd.concat([kept, *twins])
    return every.sort_values(["series", "level"], ascending=[False, True])


def _over_settings(table: Table, group: tuple[str, ...], levels: pd.Series) -> pd.DataFrame:
    own = _accuracy(table).reindex(columns=_shared(table, group, levels))
    # A seed counts only with all its settings: a mean over fewer would compare different networks.
    known = sorted(levels[own.columns].dropna().unique())
    values = {level: own.loc[:, levels[own.columns] == level].mean(axis=1, skipna=False) for level in known}
    frame = means(pd.DataFrame(values, index=own.index)).rename_axis("level").reset_index()
    return frame.assign(series="mean over the other factors", over="seeds")


def _shared(table: Table, group: tuple[str, ...], levels: pd.Series) -> list[str]:
    """Returns the cells; where some were lost, those of settings of the other factors that have every level left."""
    kept = [arm for arm in table.cells if arm not in lost(table)]
    if len(kept) == len(table.cells):
        return kept
    others = [column for column in table.levels.columns if column not in group]
    settings = pd.Series([*map(tuple, table.levels.loc[kept, others].to_numpy())], index=kept, dtype=object)
    having = levels[kept].groupby(settings).nunique()
    return [arm for arm in kept if having[settings[arm]] == levels[kept].nunique()]


def _over_arms(table: Table, levels: pd.Series) -> pd.DataFrame:
    mean = fold(table)["mean"].dropna()
    frame = pd.DataFrame({"level": levels[mean.index], "mean": mean}).dropna()
    bins = frame["level"]
    if frame["level"].nunique() > MOST_LEVELS:
        bins = pd.qcut(frame["level"], BINS, labels=False, duplicates="drop")
    made = group_means(frame.assign(bin=bins), by="bin", value="mean").sort_index()
    return made.assign(level=frame["level"].groupby(bins).mean(), series="mean over arms", over="arms")
