"""Validation accuracy by epoch, arms with the range of their seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import ink
from reports.arms import fold
from reports.changes import describe
from reports.comparisons import COST_NAMES, DECLARED, tuned
from reports.numbers import count, percent
from reports.table import Table

SECTION = "curves"
ORDER = 20
TITLE = "Learning curves"
COLUMNS = {
    "panel": "Panel",
    "series": "Arm",
    "epoch": "Epoch",
    "mean": "Mean",
    "low": "Lowest",
    "high": "Highest",
    "n": "Seeds",
    "stopped": "Stopped here",
}
BASELINE, CROWD, STOPPED = "baseline", "the other arms, middle 80%", "stopped early"
MOST_LINES, MOST_PANELS = 6, 9


def data(table: Table) -> pd.DataFrame:
    """Returns one row a panel, series and epoch: panel, series, epoch, mean, low, high (over seeds) and n (seeds).

    Rows that are ``stopped`` mark where trials were stopped early: the epoch, and the mean of what they had reached.

    Only completed trials of the main phase count, so that a mean never changes its members along the way. Where
    arms are many, the baseline and the best few are shown and the others summed up by their 10th, 50th and 90th
    percentile.
    """
    completed = table.trials[(table.trials["phase"] == table.main_phase) & (table.trials["status"] == "completed")]
    epochs = table.epochs[table.epochs["trial"].isin(completed["trial"])].dropna(subset=["val_accuracy"])
    curves = _over_seeds(epochs, alone=completed["arm"].is_unique)
    panels = _panels(table) if table.design.kind in DECLARED else _best(table)
    crowded = table.design.kind not in DECLARED
    if table.design.kind == "factorial" and panels["panel"].nunique() > MOST_PANELS:  # of an arm or two each
        panels, crowded = _best(table), True
    shown = curves["arm"].isin(panels["arm"])
    frame = panels.merge(curves[shown], on="arm")
    if crowded:
        frame = pd.concat([frame, _crowd(curves[~shown])])
    frame = pd.concat([frame.assign(stopped=False), _stopped(table, panels, crowded)])
    own = frame["arm"] != table.baseline
    if own.any():  # a panel in which no level has finished would show the baseline alone
        frame = frame[frame["panel"].isin(frame.loc[own, "panel"])]
    frame = frame.sort_values(["panel_order", "series_order", "epoch"], kind="stable")
    return frame.drop(columns=["panel_order", "series_order"]).reset_index(drop=True)


def _over_seeds(epochs: pd.DataFrame, alone: bool) -> pd.DataFrame:
    if alone:  # each arm has one trial, as in a search, where grouping thousands of arms takes long
        own = epochs["val_accuracy"]
        return epochs[["arm", "epoch"]].assign(mean=own, low=own, high=own, n=1).reset_index(drop=True)
    groups = epochs.groupby(["arm", "epoch"], sort=False)["val_accuracy"]
    return groups.agg(mean="mean", low="min", high="max", n="count").reset_index()


def caption(frame: pd.DataFrame) -> str:
    """Says what the lines and bands are."""
    said = "Validation accuracy by epoch, mean over completed seeds."
    crowd = frame["series"] == CROWD
    if (frame.loc[~crowd & ~frame["stopped"], "n"] > 1).any():
        said += " Bands reach from the lowest to the highest seed."
    if crowd.any():
        said += " The grey band holds the middle 80% of the other arms, the grey line is their median."
    if frame["stopped"].any():
        said += " A cross is where trials were stopped early, and how far they had come on average."
    if frame["panel"].nunique() > 1:
        said += " Each panel shows the baseline, its line unbroken, and the levels of one factor."
    if _floor(frame) > frame["low"].min():
        said += (
            " The vertical axis starts at the lowest value of the last half of the epochs; the beginning is cut off."
        )
    return said


def draw(frame: pd.DataFrame) -> list[ink.Figure]:
    """Draws one figure a panel, all with the same axes."""
    floor = _floor(frame)
    room = max(frame["high"].max() - floor, 0.01)
    top = min(frame["high"].max() + 0.04 * room, max(1, frame["mean"].max() + 0.02 * room))
    span = [float(max(floor - 0.04 * room, -0.02 * room)), float(top)]
    return [_panel(part, span) for _, part in frame.groupby("panel", sort=False)]


def _floor(frame: pd.DataFrame) -> float:
    """Returns the lowest value of the last half of the epochs, below which no final difference is to be seen."""
    frame = frame[~frame["stopped"]] if not frame["stopped"].all() else frame
    return float(frame.loc[frame["epoch"] > frame["epoch"].max() / 2, "low"].min())


def _epochs(last: int) -> list[int]:
    """Returns round whole numbers from 0 to the last epoch, which is always among them, and none too near to it."""
    step = next(step for step in (digit * 10**power for power in range(12) for digit in (1, 2, 5)) if last <= 6 * step)
    return [epoch for epoch in range(0, last, step) if last - epoch >= 0.6 * step] + [last]


def _panel(frame: pd.DataFrame, span: list[float]) -> ink.Figure:
    traces = []
    names = [name for name in frame["series"].unique() if name not in (BASELINE, CROWD, STOPPED)]
    for series, every in frame.groupby("series", sort=False):
        part = every[~every["stopped"]]
        index = names.index(series) if series in names else 0
        colour = {BASELINE: ink.INK, CROWD: ink.FAINT}.get(str(series), ink.SERIES[index % len(ink.SERIES)])
        colour = ink.SERIES[1] if series == STOPPED else colour
        dash = "solid" if series in (BASELINE, CROWD) else ink.DASHES[(index + 1) % len(ink.DASHES)]
        traces += [_band(part, colour), _line(part, str(series), colour, dash)] if len(part) else []
        traces += [_ends(every[every["stopped"]], str(series), colour)] if every["stopped"].any() else []
    panel = frame["panel"].iloc[0]
    longest = frame["series"].str.len().max()
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "itemclick": False}
    if len(names):
        legend["title"] = {"text": ink.wrapped(panel, 30), "side": "top", "font": {"size": 13}}
    # Long names stand one under the other on a phone, the longest on two lines.
    height = 320 + (17 * len(names) * (2 if longest > 32 else 1) if longest > 14 else 0)
    margin = {"l": 52, "r": 16, "t": 10, "b": 44}
    vertical = {"range": span, "tickformat": ".0%"}
    last = int(frame["epoch"].max())
    horizontal = {"title": {"text": "epoch"}, "range": [0, last * 1.02], "tickvals": _epochs(last)}
    return ink.figure(traces, height=height, x=horizontal, y=vertical, margin=margin, legend=legend)


def _band(part: pd.DataFrame, colour: str) -> ink.Trace:
    edge = part["epoch"].tolist() + part["epoch"].tolist()[::-1]
    return {
        "type": "scatter",
        "x": edge,
        "y": ink.numbers([*part["high"], *part["low"].iloc[::-1]]),
        "fill": "toself",
        "fillcolor": ink.shade(colour, ink.BAND),
        "mode": "none",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _line(part: pd.DataFrame, series: str, colour: str, dash: str) -> ink.Trace:
    return {
        "type": "scatter",
        "x": part["epoch"].tolist(),
        "y": ink.numbers(part["mean"]),
        "mode": "lines",
        "line": {"color": colour, "width": 1.8, "dash": dash},
        "name": ink.wrapped(series, 32),
        "hovertext": [_hover(series, row) for row in part.to_dict("records")],
        "hoverinfo": "text",
    }


def _ends(part: pd.DataFrame, series: str, colour: str) -> ink.Trace:
    """Marks where trials were stopped, the larger the more of them."""
    return {
        "type": "scatter",
        "x": part["epoch"].tolist(),
        "y": ink.numbers(part["mean"]),
        "mode": "markers",
        "marker": {
            "symbol": "x",
            "color": colour,
            "size": (7 + 2 * np.sqrt(part["n"].clip(upper=25))).round(1).tolist(),
        },
        "name": ink.plain(series if series == STOPPED else f"{series}, stopped early"),
        "hovertext": [
            f"<b>{ink.plain(series)}</b><br>{count(int(row['n']), 'trial')} stopped after epoch {row['epoch']:.0f} at "
            f"{percent(row['mean'], 2)}"
            for row in part.to_dict("records")
        ],
        "hoverinfo": "text",
    }


def _hover(series: str, row: dict[Any, Any]) -> str:
    accuracy = f"{percent(row['mean'], 2)}, {count(int(row['n']), 'seed')}"
    return f"<b>{ink.plain(series)}</b><br>epoch {row['epoch']:.0f}: {accuracy}"


def _panels(table: Table) -> pd.DataFrame:
    """Gives each arm of a declared design its panel, one a factor and cost, and the baseline a place in each."""
    run = table.arms[table.arms["status"] == "run"]
    rows = []
    for order, arm in enumerate(run.index):
        if table.baseline in (arm, run.at[arm, "tuned_of"]):
            continue
        change = describe(table, arm)
        matched, own = run.at[arm, "match"] != "none", run.at[arm, "tuned_of"] is not None
        cost = COST_NAMES.get(str(run.at[arm, "match"]), "cost")
        panel = change.factor + f", equal {cost}" * matched + ", tuned" * own
        rows.append((arm, panel, change.level, (2 * own + matched, change.factor), order))
    frame = pd.DataFrame(rows, columns=["arm", "panel", "series", "key", "series_order"])
    first = {factor: order for order, (_, factor) in reversed(list(enumerate(frame["key"])))}
    keys = sorted(frame["key"].unique(), key=lambda key: (first[key[1]], key[0]))
    frame["panel_order"] = frame.pop("key").map({key: index for index, key in enumerate(keys)})
    frame = _halved(frame)
    baseline = frame.drop_duplicates("panel_order").assign(series=BASELINE, series_order=-1)
    baseline["arm"] = [
        tuned(table, table.baseline) if panel.endswith(", tuned") else table.baseline for panel in baseline["panel"]
    ]
    return pd.concat([baseline, frame]) if len(frame) else _alone(table)


def _halved(frame: pd.DataFrame) -> pd.DataFrame:
    """Spreads the levels of a panel over several, where they are too many to be told apart."""
    part = frame.groupby("panel_order").cumcount() // MOST_LINES
    parts = part.groupby(frame["panel_order"]).transform("max") + 1
    numbered = frame["panel"] + " (" + (part + 1).astype(str) + " of " + parts.astype(str) + ")"
    return frame.assign(
        panel=frame["panel"].where(parts == 1, numbered), panel_order=frame["panel_order"] + part / 1000
    )


def _best(table: Table) -> pd.DataFrame:
    """Chooses the baseline and the arms of the Pareto front, the best of them first, for a single panel."""
    arms = fold(table)
    front = arms[arms["front"] & (arms.index != table.baseline)].sort_values("mean", ascending=False)
    chosen = [table.baseline, *front.index[: MOST_LINES - 1]]
    series = [BASELINE, *front["label"].iloc[: MOST_LINES - 1]]
    panel = "best of the front" if len(arms) > 1 else "all epochs"
    order = range(len(chosen))
    return pd.DataFrame({"arm": chosen, "panel": panel, "series": series, "panel_order": 0, "series_order": order})


def _alone(table: Table) -> pd.DataFrame:
    return pd.DataFrame(
        [{"arm": table.baseline, "panel": BASELINE, "series": BASELINE, "panel_order": 0, "series_order": 0}]
    )


def _stopped(table: Table, panels: pd.DataFrame, crowded: bool) -> pd.DataFrame:
    """Returns where trials were stopped: of each arm in its panel or, where arms are many, of all of them together."""
    lost = table.trials[(table.trials["phase"] == table.main_phase) & (table.trials["status"] == "stopped")]
    epochs = table.epochs[table.epochs["trial"].isin(lost["trial"])].dropna(subset=["val_accuracy"])
    last = epochs.sort_values("epoch", kind="stable").drop_duplicates("trial", keep="last")
    if last.empty:
        return pd.DataFrame({"stopped": pd.Series(dtype=bool)})
    if crowded:
        last = last.assign(arm="")
        panels = panels.iloc[:1].assign(arm="", series=STOPPED, series_order=np.inf)
    groups = last.groupby(["arm", "epoch"], sort=False)["val_accuracy"]
    ends = groups.agg(mean="mean", low="min", high="max", n="count").reset_index()
    return panels.merge(ends, on="arm").assign(stopped=True)


def _crowd(curves: pd.DataFrame) -> pd.DataFrame:
    named: dict[str, Any] = {
        "arm": "",
        "panel": "best of the front",
        "series": CROWD,
        "panel_order": 0,
        "series_order": np.inf,
    }
    if curves.empty:  # columns of numbers all the same
        return curves.assign(**named)
    groups = curves.groupby("epoch")["mean"]
    frame = pd.DataFrame({"mean": groups.median(), "low": groups.quantile(0.1), "high": groups.quantile(0.9)})
    frame["n"] = groups.count()
    return frame.reset_index().assign(**named)
