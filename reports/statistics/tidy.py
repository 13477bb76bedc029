"""From a tidy table, one row a measurement, to one row a seed and one column an arm; or a sentence why not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype


def widen(table: pd.DataFrame, *, by: str, pair: str, value: str) -> pd.DataFrame:
    """Returns one row a pair and one column a level of ``by``, in the table's order; missing where not measured.

    Raises:
        ValueError: If a column is missing or holds what it can't, or a level has a seed twice.
    """
    if len({by, pair, value}) < 3:
        raise ValueError(f"three different columns are wanted, not {by!r}, {pair!r} and {value!r}")
    check(table, (by, pair), value)
    if table.duplicated([by, pair]).any():
        twice = table.loc[table.duplicated([by, pair]), [by, pair]].iloc[0].tolist()
        raise ValueError(f"{by} {twice[0]} has more than one row for {pair} {twice[1]}")
    plain = table.astype({by: object}) if isinstance(table[by].dtype, pd.CategoricalDtype) else table
    wide = plain.pivot(index=pair, columns=by, values=value)
    return wide.reindex(columns=plain[by].unique()).astype(float)  # not []: truth values would count as a mask


def check(table: pd.DataFrame, keys: Sequence[str], value: str) -> None:
    """Makes sure of a table's columns: keys have no holes, and values are finite numbers or missing.

    Raises:
        ValueError: If they aren't.
    """
    require(table, (*keys, value))
    for key in keys:
        if table[key].isna().any():
            raise ValueError(f"the column {key!r} has a missing value")
    if not is_numeric_dtype(table[value]) or is_bool_dtype(table[value]):
        raise ValueError(f"the column {value!r} holds {table[value].dtype}, not numbers{_hint(table[value])}")
    infinite = np.isinf(table[value].to_numpy(float, na_value=np.nan))
    if infinite.any():
        row = table.loc[infinite].iloc[0]
        where = ", ".join(f"{key} {row[key]}" for key in keys)
        raise ValueError(f"the column {value!r} is infinite at {where}")


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Makes sure that a table has columns.

    Raises:
        ValueError: If it lacks one.
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"a table with a row a measurement is wanted, a pandas DataFrame, not {type(table).__name__}")
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(f"the table has no column {missing[0]!r}: it has {', '.join(map(str, table.columns))}")


def _hint(values: pd.Series) -> str:
    """Returns the first text that is no number, and where it is; or how numbers that are text are made such."""
    known = values.dropna()
    odd = known[pd.to_numeric(known, errors="coerce").isna()]
    return f": {odd.iloc[0]!r} in row {odd.index[0]}" if len(odd) else ", but texts: pandas.to_numeric makes them such"
