"""The cells of a factorial: accuracy by two factors, the others averaged over, and what their main effects leave."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from reports.arms import fold
from reports.changes import together
from reports.table import Table

MOST_PAIRS = 6
COLUMNS = ["pair", "rows", "columns", "row", "column", "mean", "interaction", "arms"]


def cells(table: Table) -> pd.DataFrame:
    """Returns one row a cell of each pair of factors: pair, rows, columns (names), row, column (levels), mean, arms.

    ``mean`` is the mean validation accuracy of the cell's arms, and ``interaction`` what is left of it when the means
    of its row and its column are taken off and the grand mean is put back; missing where the pair has empty cells.
    Of many pairs of factors the six with the largest interactions are kept.
    """
    arms = fold(table)
    arms = arms[arms.index.isin(table.cells) & arms["mean"].notna()]
    groups = [group for group in together(table) if table.levels.loc[arms.index, group[0]].nunique(dropna=False) > 1]
    parts = []
    for one, other in combinations(groups, 2):
        levels = table.levels.loc[arms.index]
        frame = pd.DataFrame({"row": levels[one[0]].astype(str), "column": levels[other[0]].astype(str)})
        frame["mean"] = arms["mean"]
        means = frame.groupby(["row", "column"], sort=False)["mean"].agg(["mean", "size"]).reset_index()
        means = means.rename(columns={"size": "arms"})
        names = " and ".join(one), " and ".join(other)
        part = means.assign(pair=f"{names[0]} by {names[1]}", rows=names[0], columns=names[1])
        parts.append(part.assign(interaction=_left(means)))
    parts.sort(key=lambda part: -float(part["interaction"].abs().max()) if part["interaction"].notna().any() else 1.0)
    return pd.concat(parts[:MOST_PAIRS])[COLUMNS].reset_index(drop=True) if parts else pd.DataFrame(columns=COLUMNS)


def _left(means: pd.DataFrame) -> pd.Series:
    wide = means.pivot(index="row", columns="column", values="mean")
    if wide.isna().any(axis=None):
        return pd.Series(np.nan, index=means.index)
    values = wide.to_numpy()
    left = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    known = pd.DataFrame(left, index=wide.index, columns=wide.columns)
    return pd.Series([known.at[row, column] for row, column in zip(means["row"], means["column"], strict=True)])
