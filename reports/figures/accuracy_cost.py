"""Validation accuracy against MACs: arms with seed whiskers, the baseline, and the Pareto front."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import ink
from reports.arms import fold
from reports.changes import describe
from reports.comparisons import DECLARED
from reports.labels import place
from reports.numbers import count, percent, percent_interval, quantity
from reports.table import Table

SECTION = "cost"
ORDER = 10
TITLE = "Accuracy against cost"
COLUMNS = {
    "label": "Arm",
    "macs": "MACs",
    "mean": "Mean accuracy",
    "low": "95% low",
    "high": "95% high",
    "n": "Seeds",
    "front": "On the front",
    "count": "Arms",
}
BASELINE, FRONT, OTHERS = "baseline", "on the front", "other arms"
MOST_POINTS = 600  # more are counted in the cells of a grid, all but the front
MOST_TAGS = 18


def data(table: Table) -> pd.DataFrame:
    """Returns one row a mark: arm, label, series, tag, match, macs, mean, low, high, n, front, count, base, tolerance.

    ``series`` is the factor that an arm changes or, in a search, whether it is on the front; ``tag`` is its level.
    ``base`` and ``tolerance`` repeat the baseline's MACs and the tolerance of equal cost. Beyond 600 arms those off
    the front are counted (``count``) in the cells of a grid. A single arm makes no figure.
    """
    arms = fold(table).dropna(subset=["mean", "macs"])
    if table.design.kind in DECLARED:
        changes = [describe(table, arm) for arm in arms.index]
        arms["series"] = [change.factor for change in changes]
        arms["tag"] = [change.level for change in changes]
    else:
        arms["series"], arms["tag"] = np.where(arms["front"], FRONT, OTHERS), ""
    arms.loc[arms.index == table.baseline, ["series", "tag"]] = [BASELINE, "baseline"]
    arms[["low", "high"]] = arms[["low", "high"]].clip(0, 1)
    arms["count"] = 1
    arms["base"] = table.entry(table.baseline)["macs"]
    arms["tolerance"] = (table.design.tolerance or np.nan) if table.design.match == "macs" else np.nan
    marks = ["label", "series", "tag", "match", "macs", "mean", "low", "high", "n", "front", "count"]
    frame = arms[[*marks, "base", "tolerance"]].reset_index(names="arm")
    if len(frame) < 2:
        return frame.iloc[:0]
    return _counted(frame) if len(frame) > MOST_POINTS else frame


def caption(frame: pd.DataFrame) -> str:
    """Says what to see, and what the whiskers and shapes are."""
    said = ["Mean validation accuracy of each arm against the MACs of one image."]
    if (frame["n"] > 1).any():
        said.append(
            "Whiskers are 95% t intervals of the mean over seeds, clipped to 0–100%; long ones are cut by the frame."
        )
    else:
        said.append("One seed an arm, so there are no whiskers, and the front is that of single runs.")
    if (frame["match"] != "none").any():
        said.append("Circles have their own cost; open diamonds are the same changes brought to the baseline's.")
    said.append("The stepped line is the Pareto front of the means, the dotted line the baseline's cost.")
    if frame["tolerance"].notna().any():
        said.append(f"Within the grey strip, costs are called equal (±{frame['tolerance'].iloc[0]:.0%}).")
    if (frame["count"] > 1).any():
        said.append("Off the front, arms are counted in a grid: the larger the square, the more of them.")
    return " ".join(said)


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws the frame of :func:`data`."""
    low, high = _vertical(frame)
    base, tolerance = float(frame["base"].iloc[0]), float(frame["tolerance"].iloc[0])
    cheapest, dearest = min(frame["macs"].min(), base), max(frame["macs"].max(), base)
    horizontal = ink.log_axis(cheapest, dearest, "MACs an image, log scale")
    if len(frame) <= MOST_TAGS:
        frame = frame.assign(tag=[_short(tag) for tag in frame["tag"]])
        ends = horizontal["range"], (low, high), base
        sides = place(frame["macs"].tolist(), frame["mean"].tolist(), frame["tag"].tolist(), *ends)
        # A label that would cover another is left to the hover text.
        frame["tag"] = [tag if side else "" for tag, side in zip(frame["tag"], sides, strict=True)]
        frame["side"] = [side or "middle right" for side in sides]
    colours = _colours(frame)
    groups = [part for _, part in frame.groupby(["series", "match"], sort=False)]
    groups.sort(key=lambda part: {OTHERS: 0, BASELINE: 2}.get(part["series"].iloc[0], 1))
    traces = [_front(frame, dearest), *(_marks(part, colours[part["series"].iloc[0]]) for part in groups)]
    shapes = [_line(base)] if tolerance != tolerance else [_strip(base, tolerance), _line(base)]
    vertical = {"range": [low, high], "tickformat": ".1~%", "title": {"text": "validation accuracy"}}
    return ink.figure(traces, height=430, x=horizontal, y=vertical, shapes=shapes)


def _marks(part: pd.DataFrame, colour: str) -> ink.Trace:
    series, matched = str(part["series"].iloc[0]), part["match"].iloc[0] != "none"
    tagged = "side" in part
    return {
        "type": "scatter",
        "x": part["macs"].tolist(),
        "y": part["mean"].tolist(),
        "mode": "markers+text" if tagged else "markers",
        "name": ink.plain(f"{series}, equal cost" if matched else series),
        "text": [ink.plain(tag) for tag in part["tag"]] if tagged else None,
        "textposition": part["side"].tolist() if tagged else None,
        "textfont": {"color": colour, "size": 12.5},
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "customdata": part["arm"].tolist(),
        "hoverinfo": "text",
        "marker": _marker(part, series, matched, colour),
        "error_y": {
            "type": "data",
            "array": ink.numbers(part["high"] - part["mean"]),
            "arrayminus": ink.numbers(part["mean"] - part["low"]),
            "color": colour,
            "thickness": 1.1,
            "width": 3,
            "visible": bool((part["n"] > 1).any()),
        },
        "cliponaxis": True,
    }


def _marker(part: pd.DataFrame, series: str, matched: bool, colour: str) -> dict[str, Any]:
    symbol = "star" if series == BASELINE else "diamond-open" if matched else "circle"
    size: Any = 14 if series == BASELINE else 10 if matched else 9
    if (part["count"] > 1).any():
        symbol, size = "square", (3 + 2.2 * np.sqrt(part["count"]).clip(upper=5)).round(1).tolist()
    line = {"color": ink.SURFACE, "width": 1} if not matched else {"color": colour, "width": 1.8}
    return {"symbol": symbol, "size": size, "color": colour, "line": line}


def _front(frame: pd.DataFrame, dearest: float) -> ink.Trace:
    front = frame[frame["front"]].sort_values("macs")
    ends = [dearest * 10], [front["mean"].max()]  # what the dearest buys, anything dearer can
    return {
        "type": "scatter",
        "x": front["macs"].tolist() + ends[0],
        "y": ink.numbers([*front["mean"], *ends[1]]),
        "mode": "lines",
        "line": {"shape": "hv", "color": ink.FAINT, "width": 1.4},
        "name": "Pareto front",
        "hoverinfo": "skip",
    }


def _hover(row: dict[Any, Any]) -> str:
    if row["count"] > 1:
        return f"{count(int(row['count']), 'arm')} about here"
    interval = percent_interval(row["low"], row["high"], 2)
    accuracy = f"{percent(row['mean'], 2)} {interval}, {count(int(row['n']), 'seed')}"
    return f"<b>{ink.plain(row['label'])}</b><br>{accuracy}<br>{quantity(row['macs'], 'MACs')}"


def _colours(frame: pd.DataFrame) -> dict[str, str]:
    fixed = {BASELINE: ink.INK, FRONT: ink.SERIES[0], OTHERS: ink.FAINT}
    names = [name for name in frame["series"].unique() if name not in fixed]
    return fixed | {name: ink.SERIES[min(index, len(ink.SERIES) - 1)] for index, name in enumerate(names)}


def _vertical(frame: pd.DataFrame) -> tuple[float, float]:
    """Returns the ends of the vertical axis: all means, and whiskers as far as they do not squash the means."""
    low, high = frame["mean"].min(), frame["mean"].max()
    room = max(high - low, 0.01)
    bottom = max(frame["low"].fillna(frame["mean"]).min(), low - 0.6 * room)
    top = min(frame["high"].fillna(frame["mean"]).max(), high + 0.6 * room)
    # The axis ends at 0 and 100%, but a little later where a mean itself stands there.
    bottom = max(bottom - 0.06 * room, min(0, low - 0.03 * room))
    top = min(top + 0.06 * room, max(1, high + 0.03 * room))
    return float(bottom), float(top)


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Folds the arms off the front into the cells of a grid, each at its arms' mean place."""
    kept = frame[frame["front"] | (frame["series"] == BASELINE)]
    crowd = frame.drop(kept.index)
    cells = [pd.cut(np.log10(crowd["macs"]), 48, labels=False), pd.cut(crowd["mean"], 30, labels=False)]
    groups = crowd.groupby(cells)
    folded = groups[["macs", "mean", "n", "base", "tolerance"]].mean()
    folded["count"] = groups.size()
    folded["label"] = [f"{number} arms" if number > 1 else "1 arm" for number in folded["count"]]
    folded = folded.assign(arm="", series=OTHERS, tag="", match="none", front=False, low=np.nan, high=np.nan)
    return pd.concat([folded[frame.columns], kept], ignore_index=True)


def _short(tag: str) -> str:
    return tag if len(tag) <= 14 else tag[:13] + "…"


def _line(base: float) -> dict[str, Any]:
    ends = {"x0": base, "x1": base, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    return {"type": "line", **ends, "line": {"color": ink.MUTED, "width": 1.2, "dash": "dot"}}


def _strip(base: float, tolerance: float) -> dict[str, Any]:
    ends = {
        "x0": base * (1 - tolerance),
        "x1": base * (1 + tolerance),
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
    }
    return {"type": "rect", **ends, "line": {"width": 0}, "fillcolor": ink.shade(ink.FAINT, ink.BAND)}
