"""Where the training time went, by phase and by arm."""

from __future__ import annotations

import pandas as pd

from reports import ink
from reports.numbers import count, seconds, words
from reports.spending import ENDS, spending
from reports.table import Table

SECTION = "time"
ORDER = 10
TITLE = "Where the training time went"
COLUMNS = {
    "by": "By",
    "what": "What",
    "status": "Status",
    "trials": "Trials",
    "seconds": "Seconds",
}
COLOURS = {
    "completed": ink.SERIES[0],
    "stopped": ink.SERIES[4],
    "diverged": ink.SERIES[1],
    "failed": ink.SERIES[3],
}


def data(table: Table) -> pd.DataFrame:
    """Returns what :func:`reports.spending.spending` returns; nothing where it all went into one arm in one phase."""
    frame = spending(table)
    return frame if frame.empty or frame.groupby("by")["what"].nunique().max() > 1 else frame.iloc[:0]


def caption(frame: pd.DataFrame) -> str:
    """Says whose time it is."""
    total = seconds(float(frame.loc[frame["by"] == "phase", "seconds"].sum()))
    by = words([f"by {name}" for name in ("phase", "arm") if frame.loc[frame["by"] == name, "what"].nunique() > 1])
    said = f"Training time of all trials and workers together, {total}, validation included, {by}."
    if (frame["status"] != "completed").any():
        said += " Time spent on trials that were stopped, diverged or failed has a colour of its own."
    return said


def draw(frame: pd.DataFrame) -> list[ink.Figure]:
    """Draws the phases (where there is more than one) and the arms as stacked bars."""
    parts = [(by, frame[frame["by"] == by]) for by in ("phase", "arm")]
    return [_bars(part, by) for by, part in parts if part["what"].nunique() > 1] or [_bars(parts[0][1], "phase")]


def _bars(part: pd.DataFrame, by: str) -> ink.Figure:
    keys = part[["what", "arm"]].drop_duplicates().itertuples(index=False, name=None)
    places = {key: -place for place, key in enumerate(keys)}
    names = [ink.wrapped(what) for what, _ in places]
    room = 34 if any("<br>" in name for name in names) else 26
    largest = float(part.groupby(["what", "arm"])["seconds"].sum().max())
    unit, size = ("h", 3600.0) if largest > 7200 else ("min", 60.0) if largest > 180 else ("s", 1.0)
    traces = []
    for status in [status for status in ENDS if (part["status"] == status).any()]:
        own = part[part["status"] == status]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": status, "marker": {"color": COLOURS[status]},
                "x": (own["seconds"] / size).tolist(),
                "y": [places[key] for key in zip(own["what"], own["arm"], strict=True)],
                "customdata": own["arm"].tolist(),
                "hovertext": [
                    f"<b>{ink.plain(row['what'])}</b>, {status}<br>{seconds(row['seconds'])}, "
                    f"{count(row['trials'], 'trial')}"
                    for row in own.to_dict("records")
                ],
                "hoverinfo": "text",
            }
        )  # fmt: skip
    vertical = {
        "tickvals": list(places.values()),
        "ticktext": names,
        "range": [-len(places) + 0.4, 0.6],
        "showgrid": False,
    }
    horizontal = {"title": {"text": f"training time by {by}, {unit}"}, "showgrid": True, "rangemode": "tozero"}
    return ink.figure(
        traces, height=int(108 + room * len(places)), x=horizontal, y=vertical, barmode="stack", bargap=0.3,
        showlegend=len(traces) > 1,
    )  # fmt: skip
