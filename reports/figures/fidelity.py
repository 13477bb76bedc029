"""Short runs against full ones, arm by arm."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink
from reports.fidelity import fidelity
from reports.numbers import percent
from reports.table import Table

SECTION = "fidelity"
ORDER = 10
TITLE = "Short runs against full ones"
COLUMNS = {
    "label": "Arm",
    "short": "Short",
    "full": "Full",
    "short_rank": "Rank, short",
    "full_rank": "Rank, full",
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row an arm with both scores: arm, label, short, full, their ranks, epochs_short, epochs_full."""
    found = fidelity(table)
    if found is None:
        return pd.DataFrame()
    arms = found.arms.dropna(subset=["short", "full"])
    return arms.assign(epochs_short=found.epochs[0], epochs_full=found.epochs[1]).reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says when short runs can stand for full ones."""
    return (
        f"Mean validation accuracy after {frame['epochs_short'].iloc[0]} epochs and after "
        f"{frame['epochs_full'].iloc[0]}, an arm a point. Where short runs can stand for full ones, the points rise "
        "from left to right."
    )


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws a point an arm."""
    trace: ink.Trace = {
        "type": "scatter",
        "x": frame["short"].tolist(),
        "y": frame["full"].tolist(),
        "mode": "markers",
        "marker": {"color": ink.SERIES[0], "size": 9, "line": {"color": ink.SURFACE, "width": 1}},
        "customdata": frame["arm"].tolist(),
        "hovertext": [_hover(row) for row in frame.to_dict("records")],
        "hoverinfo": "text",
        "showlegend": False,
    }
    epochs = frame["epochs_short"].iloc[0], frame["epochs_full"].iloc[0]
    axes = [{"title": {"text": f"after {number} epochs"}, "tickformat": ".1~%"} for number in epochs]
    return ink.figure([trace], height=340, x={**axes[0], "showgrid": True}, y=axes[1])


def _hover(row: dict[Any, Any]) -> str:
    ranks = f"rank {row['short_rank']:.0f} short, {row['full_rank']:.0f} full"
    return f"<b>{ink.plain(row['label'])}</b><br>{percent(row['short'], 2)}, {percent(row['full'], 2)}<br>{ranks}"
