"""The distribution of the error over arms drawn at random, a curve a space."""

from __future__ import annotations

import pandas as pd

from reports import ink
from reports.comparisons import COST_NAMES
from reports.numbers import percent
from reports.spaces import population
from reports.statistics import edf
from reports.table import Table

SECTION = "population"
ORDER = 10
TITLE = "Distribution of the error"
SWITCH = "Weights"
COLUMNS = {
    "space": "Space",
    "weights": "Weights",
    "error": "Error",
    "share": "Share of arms",
    "low": "Band, low",
    "high": "Band, high",
}
EVEN, EQUAL = "as drawn", "equal cost"


def data(table: Table) -> pd.DataFrame:
    """Returns one row a step of each curve: weights ("equal cost" or "as drawn"), space, error, share, low, high.

    ``low`` and ``high`` are a simultaneous 95% band. Curves at equal cost are there where spaces are compared.
    """
    found = population(table)
    if found is None:
        return pd.DataFrame()
    several = found.sample["space"].nunique() > 1 and not found.unequal
    parts = []
    for name in [EQUAL, EVEN] if several else [EVEN]:
        for space, own in found.sample.groupby("space", sort=False):
            weight = own["weight"] if name == EQUAL else None
            parts.append(edf(own["error"], weight).assign(weights=name, space=space))
    return pd.concat(parts, ignore_index=True).assign(cost=found.cost)


def caption(frame: pd.DataFrame) -> str:
    """Says how to read a curve and its band."""
    said = (
        "Which share of the arms of a space has at most this validation error: a curve further to the left is a space "
        "with better networks. Bands hold the whole curve at 95% (Dvoretzky, Kiefer and Wolfowitz)."
    )
    if (frame["weights"] == EQUAL).any():
        cost = COST_NAMES.get(str(frame["cost"].iloc[0]), frame["cost"].iloc[0])
        said += f" At equal cost, arms are weighted so that all spaces have the same distribution of {cost}."
    return said


def draw(frame: pd.DataFrame) -> dict[str, ink.Figure] | ink.Figure:
    """Draws a stepped curve with its band a space."""
    drawn = {str(name): _curves(part) for name, part in frame.groupby("weights", sort=False)}
    return drawn if len(drawn) > 1 else next(iter(drawn.values()))


def _curves(frame: pd.DataFrame) -> ink.Figure:
    low, high = float(frame["error"].min()), float(frame["error"].max())
    room = max(high - low, 0.005)
    ends = [low - 0.04 * room, high + 0.04 * room]
    traces: list[ink.Trace] = []
    for index, (space, part) in enumerate(frame.groupby("space", sort=False)):
        colour = ink.SERIES[index % len(ink.SERIES)]
        traces += [_band(part, colour, ends), _line(part, str(space), index, colour, ends)]
    horizontal = {"range": ends, "tickformat": ".1~%", "title": {"text": "validation error"}}
    vertical = {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "share of arms"}}
    return ink.figure(traces, height=360, x=horizontal, y=vertical)


def _line(part: pd.DataFrame, space: str, index: int, colour: str, ends: list[float]) -> ink.Trace:
    return {
        "type": "scatter",
        "x": [ends[0], *part["error"], ends[1]],
        "y": [0.0, *part["share"], 1.0],
        "mode": "lines",
        "line": {"shape": "hv", "color": colour, "width": 1.8, "dash": ink.DASHES[index % len(ink.DASHES)]},
        "name": ink.plain(space),
        "hovertext": [
            f"<b>{ink.plain(space)}</b><br>{percent(share, 0)} of arms at {percent(error, 2)} or less"
            for error, share in [(ends[0], 0.0), *zip(part["error"], part["share"], strict=True), (ends[1], 1.0)]
        ],
        "hoverinfo": "text",
    }


def _band(part: pd.DataFrame, colour: str, ends: list[float]) -> ink.Trace:
    """Returns the band as one shape: its upper edge from left to right as steps, its lower edge back."""
    before = float(part["low"].iloc[0]), float(part["high"].iloc[0] - part["share"].iloc[0])
    x, high, low = [ends[0], *part["error"], ends[1]], [before[1], *part["high"]], [0.0, *part["low"]]
    steps = [(x[place], x[place + 1]) for place in range(len(x) - 1)]
    across = [value for step in steps for value in step]
    upper = [value for value in high for _ in range(2)]
    lower = [value for value in low for _ in range(2)]
    return {
        "type": "scatter",
        "x": [*across, *across[::-1]],
        "y": [*upper, *lower[::-1]],
        "fill": "toself",
        "fillcolor": ink.shade(colour, ink.BAND),
        "mode": "none",
        "hoverinfo": "skip",
        "showlegend": False,
    }
