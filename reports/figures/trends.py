"""Accuracy against the levels of each numeric factor."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink, trends
from reports.numbers import count, percent, percent_interval
from reports.table import Table

SECTION = "trends"
ORDER = 10
TITLE = "Accuracy by level of each numeric factor"
COLUMNS = {
    "factor": "Factor",
    "series": "Series",
    "level": "Level",
    "mean": "Mean accuracy",
    "low": "95% low",
    "high": "95% high",
    "n": "Number",
    "over": "Over",
}


def data(table: Table) -> pd.DataFrame:
    """Returns what :func:`reports.trends.trends` returns, intervals clipped, with ``adaptive``: chosen by a sampler."""
    frame = trends.trends(table).dropna(subset=["mean", "level"])
    frame[["low", "high"]] = frame[["low", "high"]].astype(float).clip(0, 1)
    return frame.assign(adaptive=table.design.kind == "search").reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what the points are, and what they are not."""
    low, high = _span(frame)
    cut = " Long ones are cut by the frame." if frame["low"].min() < low or frame["high"].max() > high else ""
    if (frame["over"] == "seeds").all():
        said = "Mean validation accuracy at each level, with its 95% t interval over seeds." + cut
        if frame["series"].str.startswith("mean").any():
            said += " Each level is averaged over the settings of the other factors."
        return said
    said = "Mean validation accuracy of the arms at each level, with its 95% t interval over arms." + cut
    if frame["adaptive"].any():
        said += (
            " The sampler chose these arms after seeing others, so a level that it liked was tried in better company."
        )
    return said


def draw(frame: pd.DataFrame) -> list[ink.Figure]:
    """Draws a panel a factor, all with the same vertical axis."""
    span = _span(frame)
    return [_panel(part, span) for _, part in frame.groupby("factor", sort=False)]


def _span(frame: pd.DataFrame) -> list[float]:
    """Returns the ends of the vertical axis: all means, and whiskers as far as they do not squash the means."""
    low, high = frame["mean"].min(), frame["mean"].max()
    room = max(high - low, 0.005)
    bottom = max(frame["low"].fillna(frame["mean"]).min(), low - 0.8 * room) - 0.05 * room
    top = min(frame["high"].fillna(frame["mean"]).max(), high + 0.8 * room) + 0.05 * room
    return [float(bottom), float(top)]


def _panel(part: pd.DataFrame, span: list[float]) -> ink.Figure:
    levels = sorted(part["level"].unique())
    apart = levels[0] > 0 and levels[-1] / levels[0] >= 8
    title = ink.cut(part["factor"].iloc[0], 32) + (", log scale" if apart else "")
    horizontal: dict[str, Any] = ink.log_axis(levels[0], levels[-1], title) if apart else {"title": {"text": title}}
    own = part["over"].eq("seeds").all() or all(float(level).is_integer() for level in levels)  # not means of bins
    if len(levels) <= 12 and own:
        horizontal |= {"tickvals": levels, "ticktext": [f"{level:.4g}" for level in levels]}
    names = part["series"].unique().tolist()
    traces = [_line(own, names.index(series), len(names) > 1) for series, own in part.groupby("series", sort=False)]
    vertical = {"range": span, "tickformat": ".1~%"}
    return ink.figure(traces, height=300, x=horizontal, y=vertical, margin={"l": 56, "r": 14, "t": 10, "b": 44})


def _line(part: pd.DataFrame, index: int, named: bool) -> ink.Trace:
    part = part.sort_values("level")
    colour = ink.SERIES[index]
    return {
        "type": "scatter",
        "x": part["level"].tolist(),
        "y": ink.numbers(part["mean"]),
        "mode": "lines+markers",
        "name": str(part["series"].iloc[0]),
        "showlegend": named,
        "line": {"color": colour, "width": 1.6, "dash": ink.DASHES[index]},
        "marker": {"color": colour, "size": 8, "symbol": ["circle", "diamond", "triangle-up", "square"][index % 4]},
        "error_y": ink.whiskers(part, colour, visible=bool(part["low"].notna().any())),
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "hoverinfo": "text",
    }


def _hover(row: dict[Any, Any]) -> str:
    interval = percent_interval(row["low"], row["high"], 2)
    number = count(int(row["n"]), str(row["over"]).removesuffix("s"))
    return f"<b>{ink.plain(row['factor'])} {row['level']:.4g}</b><br>{percent(row['mean'], 2)} {interval}, {number}"
