"""Finalists from selection to confirmation: how much of what chose them was luck."""

from __future__ import annotations

import pandas as pd

from reports import ink
from reports.arms import fold
from reports.numbers import count, percent, percent_interval
from reports.table import Table

SECTION = "confirm"
ORDER = 10
TITLE = "From selection to confirmation"
COLUMNS = {
    "label": "Arm",
    "stage": "Stage",
    "mean": "Mean accuracy",
    "low": "95% low",
    "high": "95% high",
    "n": "Seeds",
}
STAGES = {
    "validation, explore": ("", "circle-open", ink.MUTED),
    "validation, fresh seeds": ("confirm_", "circle", ink.SERIES[0]),
    "test, fresh seeds": ("test_", "diamond", ink.SERIES[1]),
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row a finalist (and the baseline) and stage: label, stage, mean, low, high (95% t interval), n."""
    arms = fold(table)
    if table.main_phase == "confirm":  # nothing was selected
        arms = arms.iloc[:0]
    confirmed = arms[arms["confirm_n"] > 0].sort_values("confirm_mean", ascending=False)
    parts = []
    for stage, (prefix, _, _) in STAGES.items():
        part = confirmed[[f"{prefix}{name}" for name in ("mean", "low", "high", "n")]]
        parts.append(part.set_axis(["mean", "low", "high", "n"], axis=1).assign(label=confirmed["label"], stage=stage))
    frame = pd.concat(parts).dropna(subset=["mean"])
    frame["order"] = frame.index.map({arm: index for index, arm in enumerate(confirmed.index)})
    frame[["low", "high"]] = frame[["low", "high"]].clip(0, 1)
    return frame.sort_values("order", kind="stable").reset_index(names="arm")


def caption(frame: pd.DataFrame) -> str:
    """Says what to look for."""
    said = "Open circles chose the finalists; filled circles are the same arms on fresh seeds, which chose the winner."
    said += " A filled circle left of its open one is the optimism of choosing the best of many."
    if frame["stage"].str.startswith("test").any():
        said += " Diamonds are the test split, opened once after the choice."
    return said + " Whiskers are 95% t intervals over seeds, clipped to 0–100%."


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws one line an arm, best at the top, the stages one above the other."""
    arms = frame["order"].max() + 1
    traces = [_stage(frame[frame["stage"] == stage], stage, index) for index, stage in enumerate(STAGES)]
    named = frame.drop_duplicates("order")
    vertical = {
        "tickvals": [-float(order) for order in named["order"]],
        "ticktext": [ink.wrapped(label, 26, 3) for label in named["label"]],
        "range": [-arms + 0.5, 0.5],
        "showgrid": False,
    }
    horizontal = {"range": _span(frame), "tickformat": ".1~%", "title": {"text": "accuracy"}, "showgrid": True}
    return ink.figure(traces, height=int(110 + 64 * arms), x=horizontal, y=vertical)


def _stage(part: pd.DataFrame, stage: str, index: int) -> ink.Trace:
    _, symbol, colour = STAGES[stage]
    return {
        "type": "scatter",
        "x": part["mean"].tolist(),
        "y": (-part["order"] + 0.24 - 0.24 * index).tolist(),
        "mode": "markers",
        "name": stage,
        "marker": {"symbol": symbol, "size": 9, "color": colour},
        "error_x": ink.whiskers(part, colour, visible=bool(part["low"].notna().any())),
        "hovertext": [
            f"<b>{ink.plain(row['label'])}</b><br>{stage}: {percent(row['mean'], 2)} "
            f"{percent_interval(row['low'], row['high'], 2)}, {count(int(row['n']), 'seed')}"
            for row in part.to_dict("records")
        ],
        "hoverinfo": "text",
        "customdata": part["arm"].tolist(),
    }


def _span(frame: pd.DataFrame) -> list[float]:
    """Returns the ends of the axis: 0 and 100% at the most, but a little more where a mean itself stands there."""
    low, high = frame["mean"].min(), frame["mean"].max()
    first, last = min(frame["low"].min(), low), max(frame["high"].max(), high)
    room = max(last - first, 0.01)
    return [
        float(max(first - 0.05 * room, min(0, low - 0.03 * room))),
        float(min(last + 0.05 * room, max(1, high + 0.03 * room))),
    ]
