"""Validation accuracy against cost: arms with seed whiskers, the baseline, and the Pareto front."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports import ink
from reports.arms import fold, front
from reports.changes import describe
from reports.comparisons import DECLARED
from reports.frontier import on_front
from reports.labels import place
from reports.numbers import SPACE, count, milliseconds, percent, percent_interval, quantity
from reports.table import ENGINE, LATENCIES, SIZE, Table

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
    "likely": "P(on the front)",
    "params": "Parameters",
    "activations": "Activations",
    "seconds": "Seconds a trial",
    "latency_1": "Milliseconds for 1 image",
    "latency_64": "Milliseconds for 64 images",
    "megabytes": "Megabytes",
    "count": "Arms",
}
BASELINE, FRONT, OTHERS = "baseline", "on the front", "other arms"
MOST_POINTS = 600  # more are counted in the cells of a grid, all but the front
MOST_TAGS = 18
SWITCH = "Cost"
HOVERED = ["label", "mean", "low", "high", "n", "likely", "macs", "params", "count"]
Floats = NDArray[np.float64]
COSTS = {
    "macs": "MACs",
    "params": "parameters",
    "activations": "activations",
    "seconds": "training time",
    "latency_1": "milliseconds, 1 image",
    "latency_64": "milliseconds, 64 images",
    "megabytes": "megabytes",
}
OPTIONAL = (*LATENCIES, SIZE)
TITLES = {
    "macs": "MACs an image, log scale",
    "params": "parameters, log scale",
    "activations": "activations an image, log scale",
    "seconds": "training time of a trial, s, log scale",
    "latency_1": "milliseconds for 1 image, log scale",
    "latency_64": "milliseconds for 64 images, log scale",
    "megabytes": "megabytes, log scale",
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row a mark: arm, label, series, tag, match, is_tuned, its costs, mean, low, high, n, front, likely.

    ``series`` is the factor that an arm changes or, in a search and in a factorial of more combinations than colours,
    whether it is on the front; ``tag`` is its level.
    ``front`` is for MACs, and ``likely`` the probability of it (:func:`reports.frontier.on_front`). ``matched`` names
    the cost in which arms are called equal, within ``tolerance``. Beyond 600 arms those off the front are counted
    (``count``) in the cells of a grid, of each cost anew: then ``cost`` names the one that a row is for. A single arm
    makes no figure. Milliseconds and megabytes, with the ``engine`` that they are of, are there where the study
    measured them, all in one engine: those of two don't compare, and stay in a figure of their own.
    """
    arms = fold(table).dropna(subset=["mean", "macs"])
    if ENGINE in arms and arms[ENGINE].nunique(dropna=False) > 1:
        arms = arms.drop(columns=[name for name in (*OPTIONAL, ENGINE) if name in arms])
    if table.design.kind in DECLARED:
        changes = [describe(table, arm) for arm in arms.index]
        arms["series"] = [change.factor for change in changes]
        arms["tag"] = [change.level for change in changes]
    combined = table.design.kind == "factorial" and arms["series"].nunique() > len(ink.SERIES)
    if table.design.kind not in DECLARED or combined:
        arms["series"], arms["tag"] = np.where(arms["front"], FRONT, OTHERS), ""
    arms.loc[arms.index == table.baseline, ["series", "tag"]] = [BASELINE, "baseline"]
    arms["is_tuned"] = arms["tuned_of"].notna()
    arms.loc[arms["tuned_of"] == table.baseline, ["series", "tag"]] = [BASELINE, "baseline, tuned"]
    arms["likely"] = on_front(table, arms)
    arms[["low", "high"]] = arms[["low", "high"]].clip(0, 1)
    arms["count"] = 1
    arms["cost"], arms["matched"] = "", table.design.match or ""
    arms["tolerance"] = (table.design.tolerance or np.nan) if table.design.match in COSTS else np.nan
    costs = [name for name in (*COSTS, ENGINE) if name in arms]
    marks = ["label", "series", "tag", "match", "is_tuned", *costs, "mean", "low", "high", "n", "front", "likely"]
    frame = arms[[*marks, "count", "cost", "matched", "tolerance"]].reset_index(names="arm")
    if len(frame) < 2:
        return frame.iloc[:0]
    if len(frame) <= MOST_POINTS:
        return frame
    return pd.concat([_counted(frame, cost) for cost in _costs(frame)], ignore_index=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what to see, and what the whiskers and shapes are."""
    said = ["Mean validation accuracy of each arm against what it costs."]
    if (frame["n"] > 1).any():
        said.append(
            "Whiskers are 95% t intervals of the mean over seeds, clipped to 0–100%; long ones are cut by the frame."
        )
    else:
        said.append("One seed an arm, so there are no whiskers, and the front is that of single runs.")
    if (frame["match"] != "none").any():
        said.append("Circles have their own cost; open diamonds are the same changes brought to the baseline’s.")
    if frame["is_tuned"].any():
        said.append("Triangles are arms with the recipe that was found for them.")
    said.append("The stepped line is the Pareto front of the means, the dotted line the baseline’s cost.")
    if frame["tolerance"].notna().any():
        said.append(f"Within the grey strip, costs are called equal (±{frame['tolerance'].iloc[0]:.0%}).")
    if frame["likely"].notna().any():
        said.append("How likely an arm is on the true front, given the noise, is in the table and in the hover text.")
    if ENGINE in frame:
        said.append(f"Milliseconds and megabytes are those of {frame[ENGINE].iloc[0]}, alike for all arms.")
    if (frame["count"] > 1).any():
        said.append("Off the front, arms are counted in a grid: the larger the square, the more of them.")
    return " ".join(said)


def draw(frame: pd.DataFrame) -> dict[str, ink.Figure]:
    """Draws the frame of :func:`data`, once for each cost."""
    drawn = {}
    for cost in _costs(frame):
        part = frame[frame["cost"].isin(["", cost]) & frame[cost].gt(0)].reset_index(drop=True)
        if len(part) > 1 and part[cost].nunique() > 1:
            drawn[COSTS[cost]] = _against(part.assign(x=part[cost]), cost)
    return drawn or {COSTS["macs"]: _against(frame.assign(x=frame["macs"]), "macs")}


def _costs(frame: pd.DataFrame) -> list[str]:
    """Returns the costs that a frame knows of any arm."""
    return [cost for cost in COSTS if cost in frame and frame[cost].gt(0).any()]


def _against(frame: pd.DataFrame, cost: str) -> ink.Figure:
    low, high = _vertical(frame)
    if cost != "macs" and not frame["cost"].any():
        frame = frame.assign(front=front(frame["x"], frame["mean"]))
    own = frame.loc[(frame["series"] == BASELINE) & ~frame["is_tuned"], "x"]
    base = float(own.iloc[0]) if len(own) else math.nan
    tolerance = float(frame["tolerance"].iloc[0]) if frame["matched"].iloc[0] == cost else math.nan
    cheapest, dearest = frame["x"].min(), frame["x"].max()
    horizontal = ink.log_axis(cheapest, dearest, TITLES[cost])
    if len(frame) <= MOST_TAGS:
        frame = frame.assign(tag=[ink.shortened(tag, 12) for tag in frame["tag"]])
        ends = horizontal["range"], (low, high), base if base == base else cheapest
        sides = place(frame["x"].tolist(), frame["mean"].tolist(), frame["tag"].tolist(), *ends)
        # A label that would cover another is left to the hover text.
        frame["tag"] = [tag if side else "" for tag, side in zip(frame["tag"], sides, strict=True)]
        frame["side"] = [side or "middle right" for side in sides]
    colours = _colours(frame)
    groups = [part for _, part in frame.groupby(["series", "match", "is_tuned"], sort=False)]
    groups.sort(key=lambda part: {OTHERS: 0, BASELINE: 2}.get(part["series"].iloc[0], 1))
    traces = [_front(frame, dearest), *(_marks(part, colours[part["series"].iloc[0]]) for part in groups)]
    shapes = [] if base != base else [_line(base)] if tolerance != tolerance else [_strip(base, tolerance), _line(base)]
    vertical = {"range": [low, high], "tickformat": ".1~%", "title": {"text": "validation accuracy"}}
    return ink.figure(traces, height=430, x=horizontal, y=vertical, shapes=shapes)


def _marks(part: pd.DataFrame, colour: str) -> ink.Trace:
    series, matched = str(part["series"].iloc[0]), part["match"].iloc[0] != "none"
    tuned = bool(part["is_tuned"].iloc[0])
    tagged = "side" in part
    return {
        "type": "scatter",
        "x": part["x"].tolist(),
        "y": part["mean"].tolist(),
        "mode": "markers+text" if tagged else "markers",
        "name": ink.wrapped(series + ", equal cost" * matched + ", tuned" * tuned, 32),
        "text": [ink.plain(tag) for tag in part["tag"]] if tagged else None,
        "textposition": part["side"].tolist() if tagged else None,
        "textfont": {"color": colour, "size": 12.5},
        "hovertext": [_hover(row) for row in part.reindex(columns=[*HOVERED, *OPTIONAL]).to_dict("records")],
        "customdata": part["arm"].tolist(),
        "hoverinfo": "text",
        "marker": _marker(part, series, matched, tuned, colour),
        "error_y": ink.whiskers(part, colour, visible=bool((part["n"] > 1).any())),
        "cliponaxis": True,
    }


def _marker(part: pd.DataFrame, series: str, matched: bool, tuned: bool, colour: str) -> dict[str, Any]:
    symbol = "triangle-up" if tuned else "star" if series == BASELINE else "diamond" if matched else "circle"
    size: Any = 14 if symbol == "star" else 10 if symbol != "circle" else 9
    symbol += "-open" if matched else ""
    if (part["count"] > 1).any():
        symbol, size = "square", (3 + 2.2 * np.sqrt(part["count"]).clip(upper=5)).round(1).tolist()
    line = {"color": ink.SURFACE, "width": 1} if not matched else {"color": colour, "width": 1.8}
    return {"symbol": symbol, "size": size, "color": colour, "line": line}


def _front(frame: pd.DataFrame, dearest: float) -> ink.Trace:
    front = frame[frame["front"]].sort_values("x")
    ends = [dearest * 10], [front["mean"].max()]  # what the dearest buys, anything dearer can
    return {
        "type": "scatter",
        "x": front["x"].tolist() + ends[0],
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
    accuracy = f"{_known(percent(row['mean'], 2), interval)}, {count(int(row['n']), 'seed')}"
    likely = "" if row["likely"] != row["likely"] else f"<br>on the true front with probability {row['likely']:.2f}"
    costs = f"{quantity(row['macs'], 'MACs')}, {quantity(row['params'], 'parameters')}"
    measured = [f"{milliseconds(row[name])}{SPACE}ms for {name[8:]}" for name in LATENCIES if row[name] == row[name]]
    measured += [f"{milliseconds(row[SIZE])}{SPACE}MB"] if row[SIZE] == row[SIZE] else []
    took = f"<br>{', '.join(measured)}" if measured else ""
    return f"<b>{ink.plain(row['label'])}</b><br>{accuracy}<br>{costs}{took}{likely}"


def _known(*parts: str) -> str:
    return " ".join(part for part in parts if part)


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
    # The axis ends at 0 and 100%, but a little later where a mean itself stands there, above which is its name.
    bottom = max(bottom - 0.06 * room, min(0, low - 0.03 * room))
    top = min(top + 0.09 * room, max(1, high + 0.09 * room))
    return float(bottom), float(top)


def _counted(frame: pd.DataFrame, cost: str) -> pd.DataFrame:
    """Folds the arms off the front of a cost into the cells of a grid, each at its arms' mean place."""
    frame = frame[frame[cost] > 0].assign(cost=cost)
    if cost != "macs":
        frame["front"] = front(frame[cost], frame["mean"])
    alone = frame["front"] | (frame["series"] == BASELINE)
    kept, crowd = frame[alone], frame[~alone]
    cells = 30 * _cells(np.log10(crowd[cost].to_numpy()), 48) + _cells(crowd["mean"].to_numpy(), 30)
    cell, counts = np.unique(cells, return_inverse=True, return_counts=True)[1:]
    numbers = [*(name for name in COSTS if name in frame), "mean", "n", "tolerance"]
    folded = pd.DataFrame({name: _means(crowd[name].to_numpy(float), cell) for name in numbers}).assign(count=counts)
    folded["label"] = [f"{number} arms" if number > 1 else "1 arm" for number in counts.tolist()]
    folded = folded.assign(arm="", series=OTHERS, tag="", match="none", front=False, low=np.nan, high=np.nan)
    folded = folded.assign(is_tuned=False, likely=np.nan, cost=cost, matched=frame["matched"].iloc[0])
    folded = folded.assign(**({ENGINE: frame[ENGINE].iloc[0]} if ENGINE in frame else {}))
    return pd.concat([folded[frame.columns], kept], ignore_index=True)


def _cells(values: Floats, number: int) -> NDArray[np.int64]:
    """Returns in which of so many cells of equal width each value lies."""
    low, high = values.min(), values.max()
    placed = (values - low) / max(high - low, 1e-12) * number
    whole: NDArray[np.int64] = np.minimum(placed, number - 1).astype(np.int64)
    return whole


def _means(values: Floats, cell: NDArray[np.int64]) -> Floats:
    """Returns the mean of the known values of each cell."""
    known = ~np.isnan(values)
    counts = np.bincount(cell[known], minlength=cell.max() + 1)
    sums = np.bincount(cell[known], weights=values[known], minlength=cell.max() + 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


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
