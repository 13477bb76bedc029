"""What a search had found by the time it had spent so much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import ink
from reports.numbers import percent, seconds
from reports.table import Table
from reports.volume import courses

SECTION = "progress"
ORDER = 10
TITLE = "Progress of the search"
SWITCH = "Measure"
COLUMNS = {
    "trial": "Trial",
    "spent": "Training time, s",
    "volume": "Hypervolume",
    "best": "Best accuracy",
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row a trial of a search, in the order in which they ended: trial, spent, volume, best.

    ``spent`` is the training time so far, of all trials, those that were stopped or diverged too. ``volume`` is the
    hypervolume of the front so far in the plane of log MACs and accuracy, over that of the whole front: its corner of
    reference is the dearest arm's MACs and the lowest accuracy seen. ``best`` is the best arm's accuracy so far. An arm
    counts with the mean of its seeds so far, so that both fall where a lucky seed is followed by a worse one.
    """
    trials = table.phase("explore")
    if table.design.kind != "search" or trials["val_accuracy"].count() < 3:
        return pd.DataFrame()
    frame = pd.DataFrame({"trial": range(1, len(trials) + 1)}, index=trials.index)
    frame["spent"] = trials["train_seconds"].fillna(0).cumsum()
    cost = np.log10(trials["arm"].map(table.arms["macs"]).astype(float))
    accuracy = trials["val_accuracy"]
    scores = zip(trials["arm"], cost, accuracy, strict=True)
    frame[["volume", "best"]] = courses(scores, float(cost.max()), float(accuracy.min()))
    last = frame["volume"].iloc[-1]
    frame["volume"] = frame["volume"] / last if last else np.nan
    return frame.dropna(subset=["best"]).reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says how to read a flat end."""
    return (
        "What the search had found against the training time it had spent. The hypervolume is that of the Pareto front "
        "so far (log MACs by accuracy), as a share of what it is in the end: a curve that is flat at its end found "
        "little more for its money. An arm counts with the mean of its seeds so far."
    )


def draw(frame: pd.DataFrame) -> dict[str, ink.Figure]:
    """Draws steps of the hypervolume, and of the best accuracy."""
    low, high = float(frame["best"].min()), float(frame["best"].max())
    room = max(high - low, 0.01)
    volume: dict[str, Any] = {
        "range": [0, 1.03 * max(1.0, float(frame["volume"].max()))],
        "tickformat": ".0%",
        "title": {"text": "share of the final hypervolume"},
    }
    best: dict[str, Any] = {"range": [low - 0.05 * room, high + 0.05 * room], "tickformat": ".1~%"}
    return {
        "hypervolume": _steps(frame, "volume", volume),
        "best accuracy": _steps(frame, "best", {**best, "title": {"text": "best validation accuracy so far"}}),
    }


def _steps(frame: pd.DataFrame, name: str, vertical: dict[str, Any]) -> ink.Figure:
    kept = frame[frame[name].diff().fillna(1).abs() > 1e-12]
    kept = pd.concat([kept, frame.iloc[[-1]]]).drop_duplicates("trial")
    unit, size = ("h", 3600.0) if frame["spent"].iloc[-1] > 7200 else ("min", 60.0)
    trace: ink.Trace = {
        "type": "scatter",
        "x": (kept["spent"] / size).tolist(),
        "y": ink.numbers(kept[name]),
        "mode": "lines",
        "line": {"shape": "hv", "color": ink.SERIES[0], "width": 1.8},
        "showlegend": False,
        "hovertext": [
            f"trial {row['trial']:,}, after {seconds(row['spent'])}<br>{percent(row[name], 1)}"
            for row in kept.to_dict("records")
        ],
        "hoverinfo": "text",
    }
    horizontal = {"title": {"text": f"training time of all trials, {unit}"}, "rangemode": "tozero"}
    return ink.figure([trace], height=320, x=horizontal, y=vertical)
