"""The gradient of each stage's weights, over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import diagnosis, ink
from reports.table import Table

SECTION = "diagnosis"
ORDER = 10
TITLE = "Gradient norm by stage"
COLUMNS = {
    "label": "Arm",
    "stage": "Stage",
    "epoch": "Epoch",
    "value": "Gradient norm, geometric mean over seeds",
    "n": "Trials",
}
MOST_ARMS = 4
WHAT = "gradient_norm"


def data(table: Table) -> pd.DataFrame:
    """Returns one row an arm, stage and epoch: arm, label, stage, epoch, value (geometric mean over trials), n.

    Of the baseline, and of the arms whose gradients are told to be uneven, the worst first.
    """
    frame = diagnosis.curves(table, WHAT)
    chosen = _arms(table)
    frame = frame[frame["arm"].isin(chosen) & (frame["value"] > 0)]
    if frame.empty:
        return pd.DataFrame(columns=["arm", *COLUMNS])
    logs = frame.assign(value=np.log(frame["value"]))
    groups = logs.groupby(["arm", "stage", "epoch"], sort=False)["value"]
    found = groups.agg(value="mean", n="count").reset_index()
    found["value"] = np.exp(found["value"])
    found["label"] = found["arm"].map(table.arms["label"])
    found["place"] = found["arm"].map({arm: place for place, arm in enumerate(chosen)})
    return found.sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what to see."""
    shown = "the baseline and of arms whose gradients are uneven" if frame["arm"].nunique() > 1 else "one arm"
    return (
        f"Euclidean norm of the gradient of each stage’s weights, of {shown}, on a logarithmic axis. Lines far apart "
        "mean that no learning rate suits all stages; lines that rise mean gradients that explode."
    )


def draw(frame: pd.DataFrame) -> list[ink.Figure]:
    """Draws a panel an arm, all with the same axes."""
    axis = ink.log_axis(float(frame["value"].min()), float(frame["value"].max()), "gradient norm")
    return [_panel(part, axis) for _, part in frame.groupby("arm", sort=False)]


def _panel(part: pd.DataFrame, axis: dict[str, Any]) -> ink.Figure:
    traces = [_line(own, str(stage), index) for index, (stage, own) in enumerate(part.groupby("stage", sort=False))]
    title = {"text": f"{ink.plain(part['label'].iloc[0])}, by epoch"}
    margin = {"l": 56, "r": 14, "t": 10, "b": 44}
    return ink.figure(traces, height=300, x={"title": title, "rangemode": "tozero"}, y=axis, margin=margin)


def _line(part: pd.DataFrame, stage: str, index: int) -> ink.Trace:
    part = part.sort_values("epoch")
    name = diagnosis.in_words(stage)
    colour = ink.SERIES[index % len(ink.SERIES)]
    return {
        "type": "scatter",
        "x": part["epoch"].tolist(),
        "y": ink.numbers(part["value"]),
        "mode": "lines+markers",
        "name": name,
        "line": {"color": colour, "width": 1.6, "dash": ink.DASHES[index % len(ink.DASHES)]},
        "marker": {"color": colour, "size": 5},
        "hovertext": [f"<b>{name}</b><br>epoch {row.epoch:.3g}: {row.value:.3g}" for row in part.itertuples()],
        "hoverinfo": "text",
    }


def _arms(table: Table) -> list[str]:
    said = diagnosis.sentences(table)
    uneven = said.loc[said["kind"].isin(["exploding_gradient", "vanishing_gradient", "no_path"]), "arm"]
    return list(dict.fromkeys([table.baseline, *uneven]))[:MOST_ARMS]
