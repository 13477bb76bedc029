"""A search beside random search, for the same MACs of training."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import ink
from reports.against_random import against_random, at_equal_macs
from reports.numbers import percent, quantity
from reports.table import Table

SECTION = "progress"
ORDER = 20
TITLE = "The search beside random search"
SWITCH = "Measure"
COLUMNS = {
    "series": "Which",
    "trial": "Trial",
    "spent": "MACs of training",
    "volume": "Hypervolume",
    "best": "Best accuracy",
}


def data(table: Table) -> pd.DataFrame:
    """Returns what :func:`reports.against_random.against_random` returns, without trials before the first score."""
    frame = against_random(table)
    return frame if frame.empty else frame.dropna(subset=["best"]).reset_index(drop=True)


def caption(frame: pd.DataFrame) -> str:
    """Says what the search has bought."""
    return (
        f"{_bought(frame)} Both began with the baseline; random search spends no fewer MACs of training, three times "
        "the forward pass's for every image and epoch; those of stopped trials count. The hypervolume is that of the "
        "front so far (log MACs by accuracy), beyond a corner that both share. Arms count with the mean of their seeds "
        "so far, and seeds are few: one search beside one other proves nothing about the sampler."
    )


def _bought(frame: pd.DataFrame) -> str:
    ends = at_equal_macs(frame)
    if ends.other <= 0:
        return "At as many MACs random search had found nothing yet that counts."
    gain = ends.volume / ends.other - 1
    if gain < 0:
        return f"For as many MACs the search found {percent(-gain, 1)} less than random search."
    return (
        f"The search first held what random search found after {percent(ends.share, 0)} of its MACs, and for as many "
        f"it found {percent(gain, 1)} more."
    )


def draw(frame: pd.DataFrame) -> dict[str, ink.Figure]:
    """Draws steps of the hypervolume and of the best accuracy, one line each."""
    return {
        "hypervolume": _steps(frame, "volume", {"title": {"text": "hypervolume"}, "rangemode": "tozero"}),
        "best accuracy": _steps(
            frame, "best", {"title": {"text": "best validation accuracy so far"}, "tickformat": ".1~%"}
        ),
    }


def _steps(frame: pd.DataFrame, name: str, vertical: dict[str, Any]) -> ink.Figure:
    traces: list[ink.Trace] = []
    for number, (series, own) in enumerate(frame.groupby("series", sort=False)):
        kept = own[own[name].diff().fillna(1).abs() > 1e-12]
        kept = pd.concat([kept, own.iloc[[-1]]]).drop_duplicates("trial")
        traces.append(
            {
                "type": "scatter",
                "x": kept["spent"].tolist(),
                "y": ink.numbers(kept[name]),
                "mode": "lines",
                "line": {"shape": "hv", "color": ink.SERIES[number], "width": 1.8},
                "name": ink.plain(str(series)),
                "hovertext": [
                    f"<b>{ink.plain(str(series))}</b><br>trial {row['trial']:,}, {quantity(row['spent'])} MACs"
                    for row in kept.to_dict("records")
                ],
                "hoverinfo": "text",
            }
        )
    horizontal = ink.count_axis(frame["spent"].max(), "MACs of training, all trials so far")
    return ink.figure(traces, height=320, x=horizontal, y=vertical)
