"""Validation accuracy against the time of an answer and the bytes of a model, where they were measured."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink
from reports.arms import fold, front
from reports.files import read_csv
from reports.numbers import count, percent, percent_interval
from reports.table import Table

SECTION = "cost"
ORDER = 20
TITLE = "Accuracy against latency and size"
COLUMNS = {
    "label": "Arm",
    "runtime": "Runtime",
    "provider": "Provider",
    "precision": "Precision",
    "batch": "Images a batch",
    "median": "Milliseconds a batch, median",
    "fast": "95% low",
    "slow": "95% high",
    "bytes": "Bytes",
    "mean": "Mean accuracy",
}
SWITCH = "Cost"
SIZE = "size"
NAMES = {"torch": "torch", "onnxruntime": "ONNX Runtime", "int8": "int8 in ONNX Runtime"}
ALIKE = ("engine", "provider", "threads", "machine")
"""Times that share these compare, and have a front; others have one of their own."""
TEXTS = ("arm", "runtime", "precision", "machine", "date")
NUMBERS = ("batch", "threads", "median", "low", "high", "bytes", "loaded")


def data(table: Table) -> pd.DataFrame:
    """Returns one row an arm, runtime and batch: arm, label, runtime, provider, precision, batch, threads, median, fast
    and slow (the interval of the median), bytes, machine, date, loaded, the arm's mean accuracy with low and high, and
    ``series``, the circumstances in which it was measured: what differs in them doesn't compare.

    Empty where ``latency.csv`` isn't in the run directory.
    """
    path = table.folder / "latency.csv"
    if not path.is_file():
        return pd.DataFrame(columns=[*COLUMNS, "arm"])
    measured = read_csv(path, TEXTS, NUMBERS, ("provider",)).rename(columns={"low": "fast", "high": "slow"})
    measured["engine"] = (measured["runtime"] == "torch").map({True: "torch", False: "ONNX Runtime"})
    measured["series"] = _series(measured)
    arms = fold(table)[["label", "mean", "low", "high", "n"]].dropna(subset=["mean"])
    found = measured.merge(arms, left_on="arm", right_index=True, how="inner")
    return found.reset_index(drop=True) if found["arm"].nunique() > 1 else found.iloc[:0]


def caption(frame: pd.DataFrame) -> str:
    """Says on what it was measured, and how."""
    first = frame.iloc[0]
    threads = int(first["threads"])
    said = (
        f"Measured on {first['machine']}, {first['date']}, with {threads} thread{'' if threads == 1 else 's'}: batch "
        "norms folded, warmed up, the median of many runs. Horizontal whiskers are 95% intervals of it, vertical ones "
        "of the mean accuracy over seeds; the stepped line is the Pareto front of the means."
    )
    if frame["series"].nunique() > 1:
        said += " Times and sizes of different engines don’t compare: each has a front of its own."
    if (frame["loaded"] > 1).any():
        said += " Other work ran meanwhile, so that the times are too long."
    return said


def draw(frame: pd.DataFrame) -> dict[str, ink.Figure]:
    """Draws the frame of :func:`data`, once for each batch, and once for the bytes."""
    drawn = {
        f"batch {batch:.0f}": _against(part, "median", f"milliseconds for {_images(batch)}, log scale")
        for batch, part in frame.groupby("batch")
    }
    once = frame.assign(series=frame["engine"]).drop_duplicates(["arm", "runtime"])
    return {**drawn, SIZE: _against(once, "bytes", "bytes, log scale")}


def _against(frame: pd.DataFrame, cost: str, title: str) -> ink.Figure:
    frame = frame.reset_index(drop=True)
    several = frame["series"].nunique() > 1
    alike = [part for _, part in frame.groupby("series", sort=False)]
    traces = [_front(part, cost, 10 * frame[cost].max(), several=several) for part in alike]
    kinds = [part for _, part in frame.groupby(["series", "runtime"], sort=False)]
    for place, part in enumerate(kinds):
        runtime = str(part["runtime"].iloc[0])
        name = NAMES.get(runtime, runtime) + (_beside(part) if several else "")
        traces.append(_marks(part, cost, ink.SERIES[place % len(ink.SERIES)], name))
    vertical = {"tickformat": ".1~%", "title": {"text": "validation accuracy"}}
    horizontal = ink.log_axis(float(frame[cost].min()), float(frame[cost].max()), title)
    return ink.figure(traces, height=400, x=horizontal, y=vertical)


def _beside(part: pd.DataFrame) -> str:
    """Returns in which circumstances it was measured, beside the engine, which the name tells."""
    return str(part["series"].iloc[0]).removeprefix(str(part["engine"].iloc[0]))


def _front(part: pd.DataFrame, cost: str, end: float, *, several: bool) -> ink.Trace:
    on_front = part[front(part[cost], part["mean"])].sort_values(cost)
    return {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip",
        "name": f"Pareto front{f', {ink.plain(part.series.iloc[0])}' if several else ''}",
        "x": [*on_front[cost], end], "y": [*on_front["mean"], on_front["mean"].max()],
        "line": {"shape": "hv", "color": ink.FAINT, "width": 1.4},
    }  # fmt: skip


def _series(measured: pd.DataFrame) -> pd.Series:
    """Names the circumstances of each row by what differs in them: the engine first."""
    told = {
        "engine": measured["engine"],
        "provider": measured["provider"],
        "threads": measured["threads"].map(lambda threads: f"{threads:.0f} thread{'' if threads == 1 else 's'}"),
        "machine": measured["machine"],
    }
    shown = [name for name in ALIKE if name == "engine" or told[name][told[name] != ""].nunique() > 1]
    return pd.Series([", ".join(filter(None, row)) for row in zip(*(told[name] for name in shown), strict=True)])


def _marks(part: pd.DataFrame, cost: str, colour: str, name: str) -> ink.Trace:
    across = None
    if cost == "median":
        across = {
            "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 0,
            "array": (part["slow"] - part["median"]).tolist(),
            "arrayminus": (part["median"] - part["fast"]).tolist(),
        }  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "name": ink.plain(name),
        "x": part[cost].tolist(),
        "y": part["mean"].tolist(),
        "error_x": across,
        "error_y": ink.whiskers(part, colour, visible=bool((part["n"] > 1).any())),
        "marker": {"color": colour, "size": 9, "line": {"color": ink.SURFACE, "width": 1}},
        "hovertext": [_hover(row) for row in part.to_dict("records")],
        "customdata": part["arm"].tolist(),
        "hoverinfo": "text",
    }


def _hover(row: dict[Any, Any]) -> str:
    interval = percent_interval(row["low"], row["high"], 2)
    named = f"<b>{ink.plain(row['label'])}</b>, {ink.plain(row['runtime'])} ({ink.plain(row['series'])})"
    said = f"{named}<br>{percent(row['mean'], 2)} {interval}<br>"
    return f"{said}{row['median']:.3f} ms for {_images(row['batch'])}<br>{row['bytes']:,.0f} bytes"


def _images(batch: Any) -> str:
    return count(int(batch), "image")
