"""Accuracy by two factors at a time, and what their main effects leave unexplained."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink
from reports.cells import cells
from reports.numbers import percent, points
from reports.table import Table

SECTION = "factorial"
ORDER = 10
TITLE = "Two factors at a time"
SWITCH = "Colour by"
COLUMNS = {
    "pair": "Factors",
    "row": "Row",
    "column": "Column",
    "mean": "Mean accuracy",
    "interaction": "Interaction",
    "arms": "Arms",
}


def data(table: Table) -> pd.DataFrame:
    """Returns what :func:`reports.cells.cells` returns, for a factorial; else nothing."""
    return cells(table) if table.design.kind == "factorial" else pd.DataFrame()


def caption(frame: pd.DataFrame) -> str:
    """Says what a cell is, and what to look for."""
    said = "Mean validation accuracy of each pair of levels, over seeds and over the levels of the other factors."
    if frame["interaction"].notna().any():
        said += (
            " “Interaction” shows what a cell has beyond the effects of its row and its column, in percentage points: "
            "near zero everywhere, the two factors add up."
        )
    if frame["interaction"].isna().any():
        said += " Where a pair of levels was not run there is no interaction to be had."
    return said


def draw(frame: pd.DataFrame) -> dict[str, list[ink.Figure]]:
    """Draws a map a pair of factors, coloured by accuracy or by interaction."""
    pairs = [part for _, part in frame.groupby("pair", sort=False)]
    shown = {"accuracy": [_map(part, "mean", frame) for part in pairs]}
    whole = [part for part in pairs if part["interaction"].notna().all()]
    if whole:
        shown["interaction"] = [_map(part, "interaction", frame) for part in whole]
    return shown


def _map(part: pd.DataFrame, value: str, frame: pd.DataFrame) -> ink.Figure:
    rows, columns = part["row"].unique().tolist(), part["column"].unique().tolist()
    places = [(columns.index(row.column), -rows.index(row.row)) for row in part.itertuples()]
    shapes = [
        {
            "type": "rect", "x0": x - 0.48, "x1": x + 0.48, "y0": y - 0.46, "y1": y + 0.46, "layer": "below",
            "line": {"width": 0}, "fillcolor": _colour(number, value, frame[value]),
        }
        for (x, y), number in zip(places, part[value], strict=True)
    ]  # fmt: skip
    horizontal = {
        "tickvals": list(range(len(columns))), "ticktext": [ink.cut(level, 16) for level in columns],
        "range": [-0.5, len(columns) - 0.5], "title": {"text": ink.cut(part["columns"].iloc[0], 32)}, "ticks": "",
        "showline": False,
    }  # fmt: skip
    vertical = {
        "tickvals": [-place for place in range(len(rows))], "ticktext": [ink.cut(level, 16) for level in rows],
        "range": [-len(rows) + 0.5, 0.5], "title": {"text": ink.cut(part["rows"].iloc[0], 16)}, "showgrid": False,
        "ticks": "", "showline": False,
    }  # fmt: skip
    return ink.figure(
        [_text(part, value, places)], height=110 + 46 * len(rows), x=horizontal, y=vertical, shapes=shapes
    )


def _text(part: pd.DataFrame, value: str, places: list[tuple[int, int]]) -> ink.Trace:
    said = [percent(number, 1) if value == "mean" else points(number).split("\u00a0")[0] for number in part[value]]
    return {
        "type": "scatter",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "mode": "text",
        "text": said,
        "textfont": {"color": ink.INK, "size": 12.5},
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "hoverinfo": "text",
        "showlegend": False,
    }


def _hover(row: dict[Any, Any]) -> str:
    where = f"{row['rows']} {row['row']}, {row['columns']} {row['column']}"
    left = "" if row["interaction"] != row["interaction"] else f"<br>interaction {points(row['interaction'])}"
    return f"<b>{ink.plain(where)}</b><br>{percent(row['mean'], 2)}, {row['arms']} arms{left}"


def _colour(number: float, value: str, every: pd.Series) -> str:
    """Returns one of five shades: from the lowest mean to the highest, or by size and sign of an interaction."""
    if value == "mean":
        low, high = every.min(), every.max()
        share = (number - low) / (high - low) if high > low else 0.5
        return ink.shade(ink.SERIES[0], ink.HEAT[min(int(share * len(ink.HEAT)), len(ink.HEAT) - 1)])
    most = max(every.abs().max(), 1e-9)
    level = min(int(abs(number) / most * len(ink.HEAT)), len(ink.HEAT) - 1)
    return ink.shade(ink.SERIES[0] if number >= 0 else ink.SERIES[1], ink.HEAT[level])
