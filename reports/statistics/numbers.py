"""What a caller may give for numbers: one, a list, an array, a mapping or a series; or a sentence why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Many = Sequence[float] | NDArray[Any] | Mapping[Any, float] | pd.Series
Numbers = float | Many
"""One number, or many in one dimension; NaN or None where one is missing."""


def is_one(value: object) -> bool:
    """Whether something is a single number."""
    return isinstance(value, Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def series(values: Numbers, what: str, index: pd.Index | None = None) -> pd.Series:
    """Returns numbers as a series of floats, a single one repeated over the index.

    Args:
        values: The numbers.
        what: What they are, for the message.
        index: Of what they belong to; a series keeps its own, and anything else must be as long.

    Raises:
        ValueError: If they are no numbers, have several dimensions, or are not as many as the index.
    """
    if isinstance(values, pd.DataFrame) or (isinstance(values, np.ndarray) and values.ndim > 1):
        raise ValueError(f"{what}: one dimension is wanted, not {np.ndim(values)}")
    if isinstance(values, str | bytes) or not (is_one(values) or isinstance(values, Iterable)):
        raise ValueError(f"{what}: numbers are wanted, not {values!r}")
    plain: Any = [values] * (1 if index is None else len(index)) if is_one(values) else values
    try:
        made = (plain if isinstance(plain, pd.Series) else pd.Series(plain, dtype=object)).astype("float64")
    except (TypeError, ValueError):
        raise ValueError(f"{what}: numbers are wanted, not {values!r}") from None
    if index is None or isinstance(values, pd.Series | Mapping):
        return made
    if len(made) != len(index):
        raise ValueError(f"{what}: {len(index)} numbers are wanted, not {len(made)}")
    return made.set_axis(index)


def columns(values: Any, what: str) -> pd.DataFrame:
    """Returns numbers as columns of floats: a table as it is, anything of one dimension as one column.

    Raises:
        ValueError: If they are no numbers.
    """
    if isinstance(values, Mapping) and values and all(is_one(value) for value in values.values()):
        values = pd.Series(values)
    if not isinstance(values, pd.DataFrame | Mapping) and np.ndim(values) < 2:
        made = series(values, what)
        return made.to_frame(name=0 if made.name is None else made.name)
    try:
        return pd.DataFrame(values).astype("float64")
    except (TypeError, ValueError):
        raise ValueError(f"{what}: columns of numbers are wanted") from None


def probability(value: object, what: str) -> None:
    """Makes sure of a number between 0 and 1.

    Raises:
        ValueError: If it isn't.
    """
    if not is_one(value) or not 0 < value < 1:  # type: ignore[operator]
        raise ValueError(f"{what} lies between 0 and 1: {value} does not")


def right(values: Any, what: str) -> NDArray[np.bool_]:
    """Returns which images were right as an array of truth values, from such, or from 0 and 1.

    Raises:
        ValueError: If there is anything else in it, or the rows are not equally long.
    """
    try:
        made = np.asarray(values)
    except ValueError:
        raise ValueError(f"{what}: the rows are not equally long") from None
    if made.dtype == bool:
        return made
    if made.dtype == object or not np.isin(made, (0, 1)).all():
        raise ValueError(f"{what}: true or false, 1 or 0, is wanted for every image")
    return made.astype(bool)
