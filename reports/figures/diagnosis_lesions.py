"""What accuracy is left when each residual block of a confirmed arm is reduced to its shortcut."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import diagnosis, ink
from reports.numbers import percent, points
from reports.table import Table

SECTION = "diagnosis"
ORDER = 20
TITLE = "Accuracy without single blocks"
COLUMNS = {
    "label": "Arm",
    "name": "Block",
    "without": "Accuracy without it",
    "accuracy": "Accuracy of the whole",
    "change": "Change",
    "images": "Images",
}
MOST_ARMS = 4


def data(table: Table) -> pd.DataFrame:
    """Returns one row a confirmed arm and block, the winner's first: arm, and what ``COLUMNS`` names."""
    frame = diagnosis.lesions(table)
    first = None if table.winner is None else table.winner["arm"]
    arms = sorted(frame["arm"].unique(), key=lambda arm: arm != first)[:MOST_ARMS]
    frame = frame[frame["arm"].isin(arms)]
    frame = frame.assign(name=frame["block"].map(diagnosis.in_words), place=frame["arm"].map(arms.index))
    return frame.sort_values("place", kind="stable")[["arm", *COLUMNS]].reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what to see."""
    return (
        "Validation accuracy of the best confirmed seed with each block’s branch taken out, so that its shortcut alone "
        "is left; the line is the whole network. A block near the line can be removed at little cost."
    )


def draw(frame: pd.DataFrame) -> list[ink.Figure]:
    """Draws a panel an arm, all with the same vertical axis."""
    return [_panel(part) for _, part in frame.groupby("arm", sort=False)]


def _panel(part: pd.DataFrame) -> ink.Figure:
    whole = float(part["accuracy"].iloc[0])
    names = part["name"].tolist()
    bars: ink.Trace = {
        "type": "bar",
        "x": names,
        "y": ink.numbers(part["without"]),
        "marker": {"color": ink.SERIES[0]},
        "showlegend": False,
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "hoverinfo": "text",
    }
    line: ink.Trace = {
        "type": "scatter",
        "x": names,
        "y": [whole] * len(names),
        "mode": "lines",
        "line": {"color": ink.INK, "width": 1.4, "dash": "dash"},
        "name": f"{ink.wrapped(part['label'].iloc[0])}: {percent(whole)} whole",
        "hoverinfo": "skip",
    }
    vertical = {"range": [0, 1], "tickformat": ".0%"}
    margin = {"l": 52, "r": 14, "t": 10, "b": 60}
    return ink.figure(
        [bars, line], height=300, x={"type": "category", "autotickangles": [0, 45, 90]}, y=vertical, margin=margin
    )


def _hover(row: dict[Any, Any]) -> str:
    return f"<b>without {row['name']}</b><br>{percent(row['without'])}, {points(row['change'])}"
