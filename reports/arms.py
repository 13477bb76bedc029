"""Arms as rows, with their seeds folded in."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from reports.statistics import group_means
from reports.table import ENGINE, LATENCIES, SIZE, Table

MEASURES = {
    "train_accuracy": "train_accuracy",
    "epochs_to_target": "epochs_to_target",
    "train_seconds": "seconds",
    "images_per_second": "images_per_second",
    "peak_memory": "peak_memory",
}


def fold(table: Table) -> pd.DataFrame:
    """Returns one row an arm that was run, in the study's order, indexed by arm id.

    Columns: label, match, match_of, tuned_of, macs, params, activations, latency_1 and latency_64 (milliseconds),
    megabytes and the engine that they are of (only of a study that had them measured), out_channels; of the main phase
    ``planned`` and ``n`` seeds, ``mean``, ``sd``, ``low`` and ``high`` (95% t interval of the mean) of validation
    accuracy, and the means of train_accuracy, epochs_to_target, seconds, images_per_second, peak_memory (bytes);
    ``front`` (on the Pareto front of mean validation accuracy against MACs); of the confirm phase ``confirm_*`` and
    ``test_*`` (n, mean, low, high).
    """
    return _fold(table).copy()


@functools.lru_cache(maxsize=2)  # every figure starts from it
def _fold(table: Table) -> pd.DataFrame:
    arms = table.arms[table.arms["status"] == "run"]
    measured = [name for name in (*LATENCIES, SIZE, ENGINE) if arms[name].notna().any()]
    costs = ["macs", "params", "activations", *measured, "out_channels"]
    frame = arms[["label", "match", "match_of", "tuned_of", *costs]].copy()
    explore = table.phase(table.main_phase)
    seeds = table.environment["seeds"][table.main_phase] if table.main_phase == "confirm" else table.design.seeds
    frame = frame.join(group_means(explore, by="arm", value="val_accuracy"))
    frame["n"] = frame["n"].fillna(0).astype(int)
    planned: pd.Series | int = len(seeds)
    if table.design.racing is not None:  # each has as many as it needs
        planned = explore.groupby("arm", sort=False)["seed"].nunique().reindex(frame.index).fillna(1)
    frame["planned"] = np.maximum(planned, frame["n"]).astype(int)
    completed = explore[explore["status"] == "completed"]
    frame = frame.join(completed.groupby("arm", sort=False)[list(MEASURES)].mean().rename(columns=MEASURES))
    frame["front"] = front(frame["macs"], frame["mean"])
    confirm = table.phase("confirm")
    for name, value in (("confirm", "val_accuracy"), ("test", "test_accuracy")):
        frame = frame.join(group_means(confirm, by="arm", value=value).drop(columns="sd").add_prefix(f"{name}_"))
    return frame


def front(cost: pd.Series, score: pd.Series) -> pd.Series:
    """Tells which points no other point beats: none costs at most as much and scores higher, or less at the same score.

    Points without a score are not on the front; of points that are the same in both, all are or none.
    """
    known = pd.DataFrame({"cost": cost, "score": score}).dropna()
    known = known.sort_values(["cost", "score"], ascending=[True, False], kind="stable")
    best_before = known["score"].cummax().shift(fill_value=-np.inf)
    unbeaten = (known["score"] > best_before).to_numpy()
    first = np.maximum.accumulate(np.where(known.duplicated(), 0, np.arange(len(known))))  # equal points are neighbours
    return pd.Series(unbeaten[first], index=known.index).reindex(cost.index, fill_value=False)


def digits(table: Table, split: str = "validation") -> int:
    """Returns the digits after the point that an accuracy in percent deserves, from the size of its split."""
    return 1 if int(table.environment["data"][split]) < 5000 else 2
