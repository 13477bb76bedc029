"""Every declared effect with its interval: as it is, at equal cost, and with each arm's own recipe."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink
from reports.comparisons import BOTH, COST_NAMES, MATCHED, RAW, TUNED, comparisons
from reports.numbers import change, points, points_interval
from reports.table import Table

SECTION = "ablation"
ORDER = 10
TITLE = "Effects and their intervals"
COLUMNS = {
    "change": "Change",
    "terms": "At",
    "effect": "Effect",
    "low": "95% low",
    "high": "95% high",
    "pairs": "Pairs",
    "verdict": "Verdict",
}
MOST = 40
STYLES = {
    RAW: ("circle", ink.SERIES[0]),
    MATCHED: ("diamond-open", ink.SERIES[1]),
    TUNED: ("triangle-up", ink.SERIES[2]),
    BOTH: ("triangle-up-open", ink.SERIES[3]),
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row a comparison: arm, change, at, terms, effect, low, high, pairs, verdict, macs, margin, order.

    Only comparisons with an effect; of more than 40 changes those with the largest effects. Differences are fractions.
    """
    rows = comparisons(table)
    if rows.empty:
        return rows
    rows = rows[rows["effect"].notna()].copy()
    largest = rows.groupby("change", sort=False)["effect"].agg(lambda effects: effects.abs().max())
    kept = largest.nlargest(MOST).index
    rows = rows[rows["change"].isin(kept)]
    cost = COST_NAMES.get(str(table.design.match), "cost")
    terms = {RAW: "its own cost", MATCHED: f"equal {cost}", TUNED: "tuned", BOTH: f"equal {cost}, tuned"}
    rows["terms"] = rows["at"].map(terms)
    rows["margin"] = float("nan") if table.margin is None else table.margin
    order = {change: place for place, change in enumerate(rows["change"].unique())}
    rows["order"] = rows["change"].map(order)
    wanted = ["arm", "change", "at", "terms", "effect", "low", "high", "pairs", "verdict", "macs", "margin", "order"]
    return rows[wanted].reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what the marks and whiskers are."""
    said = ["Difference of validation accuracy from the baseline’s, mean over paired seeds, in percentage points."]
    if frame["low"].notna().any():
        said.append(
            "Whiskers are 95% t intervals; very long ones are cut by the frame. Filled: a verdict of “detected”."
        )
    if frame["change"].str.endswith(" added to bare").any():
        said.append("A part that is added to bare is held against the bare recipe, which has every part off.")
    if frame["at"].nunique() > 1:
        said.append("A change that holds up keeps its side of zero from its first mark to its last.")
    if frame["margin"].notna().any():
        said.append("Within the grey strip a difference does not matter to this study.")
    return " ".join(said)


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws a line a change, in the study's order from the top, its comparisons one under the other."""
    kinds = [at for at in STYLES if (frame["at"] == at).any()]
    low, high = _span(frame)
    traces = [_marks(frame[frame["at"] == at], at, index, len(kinds)) for index, at in enumerate(kinds)]
    named = frame.drop_duplicates("order")
    vertical = {
        "tickvals": [-float(order) for order in named["order"]],
        "ticktext": [ink.wrapped(text) for text in named["change"]],
        "range": [-len(named) + 0.4, 0.6],
        "showgrid": False,
    }
    horizontal = {"range": [low, high], "title": {"text": "difference, pp"}, "showgrid": True}
    height = int(96 + len(named) * (22 + 13 * len(kinds)))
    return ink.figure(traces, height=height, x=horizontal, y=vertical, shapes=_shapes(frame, low, high))


def _marks(part: pd.DataFrame, at: str, index: int, kinds: int) -> ink.Trace:
    symbol, colour = STYLES[at]
    filled = part["verdict"] == "detected"
    effect = part["effect"] * 100
    return {
        "type": "scatter",
        "x": ink.numbers(effect),
        "y": (-part["order"] + (0.18 - 0.36 * index / (kinds - 1) if kinds > 1 else 0.0)).tolist(),
        "mode": "markers",
        "name": str(part["terms"].iloc[0]),
        "customdata": [arm if isinstance(arm, str) else "" for arm in part["arm"]],
        "marker": {
            "symbol": [symbol.removesuffix("-open") + ("" if is_filled else "-open") for is_filled in filled],
            "size": 9,
            "color": colour,
            "line": {"color": colour, "width": 1.6},
        },
        "error_x": {
            "type": "data",
            "array": ink.numbers(part["high"] * 100 - effect),
            "arrayminus": ink.numbers(effect - part["low"] * 100),
            "color": colour,
            "thickness": 1.2,
            "width": 3,
            "visible": bool(part["low"].notna().any()),
        },
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "hoverinfo": "text",
    }


def _hover(row: dict[Any, Any]) -> str:
    interval = points_interval(row["low"], row["high"])
    said = f"<b>{ink.plain(row['change'])}</b>, {row['terms']}<br>{points(row['effect'])} {interval}"
    return f"{said}<br>{change(row['macs'])} MACs, {row['pairs']} pairs: {row['verdict']}"


def _span(frame: pd.DataFrame) -> tuple[float, float]:
    """Returns the ends of the axis: all effects and zero, and intervals as far as they do not dwarf them."""
    effects = frame["effect"] * 100
    reach = 2.5 * max(effects.abs().max(), 0.1)
    low = max(min((frame["low"] * 100).fillna(effects).min(), effects.min(), 0), -reach)
    high = min(max((frame["high"] * 100).fillna(effects).max(), effects.max(), 0), reach)
    room = max(0.05 * (high - low), 0.01)
    return float(low - room), float(high + room)


def _shapes(frame: pd.DataFrame, low: float, high: float) -> list[dict[str, Any]]:
    upright = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    line = {"type": "line", "x0": 0, "x1": 0, **upright, "line": {"color": ink.MUTED, "width": 1.2}}
    margin = float(frame["margin"].iloc[0]) * 100
    if margin != margin:
        return [line]
    ends = {"x0": max(-margin, low), "x1": min(margin, high)}
    strip = {"type": "rect", **ends, **upright, "line": {"width": 0}, "fillcolor": ink.shade(ink.FAINT, ink.BAND)}
    return [strip, line]
