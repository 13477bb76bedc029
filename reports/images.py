"""Which images each network got right, from images.csv."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.files import RunError
from reports.table import Table

NAME = "images.csv"


@dataclass(frozen=True)
class Correct:
    """Which images of a split the networks of some arms got right: ``right`` is arms x seeds x images."""

    split: str
    phase: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    right: NDArray[np.bool_]


def correct(table: Table, arms: Sequence[str], phase: str, split: str) -> Correct | None:
    """Returns the record of the seeds that all these arms have; None if the run has none, or they share no seed.

    Raises:
        RunError: If the file is damaged.
    """
    path = table.folder / NAME
    trials = table.trials[
        (table.trials["phase"] == phase) & (table.trials["status"] == "completed") & table.trials["arm"].isin(arms)
    ].drop_duplicates(["arm", "seed"])
    if trials.empty or not path.is_file():
        return None
    packed = _read(path, split, trials["trial"])
    trials = trials[trials["trial"].isin(packed.index)]
    grid = trials.pivot(index="arm", columns="seed", values="trial").reindex(list(arms)).dropna(axis=1)
    if grid.shape[1] == 0:
        return None
    records = packed["correct"].to_dict()
    sizes = packed["images"].reindex(grid.to_numpy().ravel()).unique()
    if len(sizes) != 1:
        raise RunError(f"{path}: trials of one split with different numbers of images: {sorted(sizes.tolist())}")
    right = np.array(
        [[_unpack(records[trial], int(sizes[0]), path) for trial in row] for row in grid.to_numpy().tolist()]
    )
    return Correct(split, phase, tuple(arms), tuple(int(seed) for seed in grid.columns), right)


def _read(path: Path, split: str, trials: pd.Series) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, usecols=["trial", "split", "images", "correct"], dtype={"correct": "str"})
    except (ValueError, UnicodeError) as error:
        raise RunError(f"{path}: not a table of images: {error}") from error
    frame = frame[(frame["split"] == split) & frame["trial"].isin(set(trials)) & frame["correct"].notna()]
    return frame.drop_duplicates("trial", keep="last").set_index("trial")


def _unpack(packed: object, images: int, path: Path) -> NDArray[np.bool_]:
    """Returns one bit an image, the first in the highest bit of the first byte.

    What begins with a plus has an apostrophe before it, as all text that a spreadsheet would take for a formula.
    """
    try:
        bits = np.frombuffer(base64.b64decode(str(packed).removeprefix("'"), validate=True), np.uint8)
        return np.unpackbits(bits, count=images).astype(np.bool_)
    except ValueError as error:
        raise RunError(f"{path}: a record of images cannot be read: {error}") from error
