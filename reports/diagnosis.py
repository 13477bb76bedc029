"""What trials tell about themselves, read: sentences, curves by stage, and accuracies without single blocks."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from reports.files import RunError, read_csv, read_json
from reports.table import Table

SCHEMA = 1
SENTENCES = ("trial", "arm", "seed", "phase", "kind", "text", "value")
LESIONS = ("trial", "arm", "seed", "images", "accuracy", "block", "without")
NOTHING: dict[str, Any] = {"schema": SCHEMA, "data": None, "findings": [], "lesions": []}


def sentences(table: Table) -> pd.DataFrame:
    """Returns one row an arm and kind of sentence, in the order of the arms.

    Columns: arm, label, kind, text (of the trial whose number is the worst), n (trials it is said of), of (the arm's
    trials of the main phase that ended).
    """
    frame = pd.DataFrame(_file(table)["findings"], columns=list(SENTENCES))
    frame = frame[(frame["phase"] == table.main_phase) & frame["arm"].isin(table.arms.index)]
    columns = ["arm", "label", "kind", "text", "n", "of"]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    order = {arm: place for place, arm in enumerate(table.arms.index)}
    ended = table.trials[table.trials["phase"] == table.main_phase].groupby("arm").size()
    size = frame["value"].astype(float).abs().fillna(math.inf)  # nothing is worse than what isn't a number
    frame = frame.assign(size=size, place=frame["arm"].map(order))
    groups = frame.groupby(["place", "kind"], sort=False)
    worst = frame.loc[groups["size"].idxmax()].assign(n=groups["trial"].nunique().to_numpy())
    worst = worst.sort_values("place", kind="stable")
    worst["label"], worst["of"] = worst["arm"].map(table.arms["label"]), worst["arm"].map(ended)
    return worst[columns].reset_index(drop=True)


def curves(table: Table, name: str) -> pd.DataFrame:
    """Returns one row a trial of the main phase, epoch and stage: trial, arm, epoch, stage, value."""
    path = table.folder / "diagnosis.csv"
    columns = ["trial", "arm", "epoch", "stage", "value"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    frame = read_csv(path, ("trial", "arm", "phase", "stage", "name"), ("epoch", "value"))
    chosen = (frame["name"] == name) & (frame["phase"] == table.main_phase) & frame["arm"].isin(table.arms.index)
    return frame.loc[chosen, columns].reset_index(drop=True)


def lesions(table: Table) -> pd.DataFrame:
    """Returns one row a confirmed trial and block: arm, label, images, accuracy, block, without (accuracy), change."""
    rows = [
        {**entry, "block": block, "without": without}
        for entry in _file(table)["lesions"]
        for block, without in entry["blocks"].items()
    ]
    frame = pd.DataFrame(rows, columns=list(LESIONS))
    frame = frame[frame["arm"].isin(table.arms.index)]
    frame["label"], frame["change"] = frame["arm"].map(table.arms["label"]), frame["without"] - frame["accuracy"]
    return frame.reset_index(drop=True)


def data(table: Table) -> dict[str, Any] | None:
    """Returns what was found of the data set, or None if nobody looked."""
    found: dict[str, Any] | None = _file(table)["data"]
    return found


def in_words(place: str) -> str:
    """Returns ``stage 1 block 2`` of ``stages.0.1``: people count from 1."""
    if not place.startswith("stages."):
        return place
    stage, *block = (int(part) + 1 for part in place.split(".")[1:])
    return f"stage {stage}" + (f" block {block[0]}" if block else "")


def _file(table: Table) -> dict[str, Any]:
    path = table.folder / "diagnosis.json"
    if not path.is_file():  # a run of before
        return NOTHING
    found = read_json(path)
    if found.get("schema") != SCHEMA:
        raise RunError(f"{path}: schema {found.get('schema')!r}; this version reads schema {SCHEMA}")
    return found
