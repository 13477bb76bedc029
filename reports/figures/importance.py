"""How much of the scatter over arms each factor accounts for."""

from __future__ import annotations

import pandas as pd

from reports import ink
from reports.importance import INTERACTIONS, REST, importance
from reports.table import Table

SECTION = "importance"
ORDER = 10
TITLE = "Share of the variance over arms"
COLUMNS = {"factor": "Factor", "share": "Share", "low": "Low", "high": "High"}
MOST = 20


def data(table: Table) -> pd.DataFrame:
    """Returns one row a share: factor, share, low, high, spread (see ``reports.importance``), adaptive, arms."""
    found = importance(table)
    if found is None:
        return pd.DataFrame()
    rest = found.shares["factor"].isin([INTERACTIONS, REST])
    shares = pd.concat([found.shares[~rest].head(MOST), found.shares[rest]], ignore_index=True)
    return shares.assign(spread=found.spread, adaptive=found.adaptive, arms=found.arms)


def caption(frame: pd.DataFrame) -> str:
    """Names the estimator and what its whiskers are."""
    said = [
        f"Share of the variance of mean validation accuracy over {frame['arms'].iloc[0]:,} arms that the fit loses "
        "without the factor: analysis of variance by least squares, a term a level."
    ]
    spread = frame["spread"].iloc[0]
    if spread == "seeds":
        said.append("Whiskers reach from the lowest to the highest value over the seeds, each taken alone.")
    elif spread == "arms":
        said.append("Whiskers are 95% intervals by a jackknife over arms.")
    return " ".join(said)


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws a bar a factor, what pairs add and what is left in grey."""
    own = ~frame["factor"].isin([INTERACTIONS, REST])
    colours = [ink.SERIES[0] if mine else ink.FAINT for mine in own]
    names = [ink.wrapped(name, 26) for name in frame["factor"]]
    trace: ink.Trace = {
        "type": "bar",
        "orientation": "h",
        "x": ink.numbers(frame["share"]),
        "y": [-place for place in range(len(frame))],
        "marker": {"color": colours},
        "showlegend": False,
        "error_x": {
            "type": "data",
            "array": ink.numbers(frame["high"] - frame["share"]),
            "arrayminus": ink.numbers(frame["share"] - frame["low"]),
            "color": ink.INK,
            "thickness": 1.1,
            "width": 3,
            "visible": bool(frame["low"].notna().any()),
        },
        "hovertext": [f"<b>{ink.plain(row.factor)}</b><br>{row.share:.1%}" for row in frame.itertuples()],
        "hoverinfo": "text",
    }
    vertical = {
        "tickvals": [-place for place in range(len(frame))],
        "ticktext": names,
        "range": [-len(frame) + 0.4, 0.6],
        "showgrid": False,
    }
    top = float(max(frame["share"].max(), frame["high"].fillna(0).max()))
    horizontal = {"range": [0, min(1.02, top * 1.08)], "tickformat": ".0%", "showgrid": True}
    horizontal |= {"title": {"text": "share of the variance"}}
    return ink.figure([trace], height=int(86 + 30 * len(frame)), x=horizontal, y=vertical, bargap=0.35)
