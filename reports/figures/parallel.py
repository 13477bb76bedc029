"""Every arm as a line across the factors that vary, its cost and its accuracy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from reports import ink
from reports.arms import fold
from reports.changes import together
from reports.numbers import ABSENT, percent, quantity
from reports.table import Table
from reports.trends import numeric

SECTION = "importance"
ORDER = 20
TITLE = "Arms as lines across the factors"
COLUMNS = {
    "label": "Arm",
    "macs": "MACs",
    "mean": "Mean accuracy",
    "group": "Group",
}
KINDS = ("factorial", "search", "population")
BASELINE, BEST, OTHERS = "baseline", "the best tenth", "other arms"
FEW, MOST_LINES, MOST_BEST, CELLS = 40, 300, 60, 14
MOST_AXES = 12
MEASURES: dict[str, tuple[str, Callable[[Any], str]]] = {"MACs": ("macs", quantity), "accuracy": ("mean", percent)}


def data(table: Table) -> pd.DataFrame:
    """Returns one row an arm: arm, label, macs, mean, group; of each axis ``at:NAME`` (0 to 1), of factors ``is:NAME``.

    Axes are the factors that vary among the arms, at most the ten first, then MACs (on a log scale) and accuracy.
    """
    if table.design.kind not in KINDS:
        return pd.DataFrame()
    arms = fold(table)
    arms = arms[arms.index.isin(table.cells) & arms["mean"].notna() & arms["macs"].notna()]
    frame = arms[["label", "macs", "mean"]].copy()
    groups = [group for group in together(table) if table.levels.loc[arms.index, group[0]].nunique(dropna=False) > 1]
    if len(frame) < 4 or len(groups) < 2:
        return pd.DataFrame()
    for group in groups[: MOST_AXES - 2]:
        frame = frame.join(_axis(table.levels.loc[arms.index, group[0]], " and ".join(group)))
    cost = np.log10(frame["macs"])
    axes = {"at:MACs": cost, "at:accuracy": frame["mean"]}
    frame = frame.assign(**{name: _spread(values) for name, values in axes.items()})
    best = frame["mean"].rank(ascending=False, method="first") <= min(max(len(frame) // 10, 1), MOST_BEST)
    frame["group"] = np.where(best, BEST, OTHERS)
    frame.loc[frame.index == table.baseline, "group"] = BASELINE
    return frame.reset_index(names="arm")


def caption(frame: pd.DataFrame) -> str:
    """Says what a line is."""
    said = (
        "Each line is an arm: its level of every factor that varies, its MACs (log scale) and its mean validation "
        "accuracy. Levels on which the coloured lines meet are those that the best tenth share."
    )
    if (frame["group"] == OTHERS).sum() > MOST_LINES:
        said += " The other arms are counted: the thicker a grey line, the more of them go that way."
    return said


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws the axes as vertical lines at whole numbers and the arms across them."""
    axes = [column.removeprefix("at:") for column in frame.columns if column.startswith("at:")]
    others = frame[frame["group"] == OTHERS]
    traces = _counted(others, axes) if len(others) > MOST_LINES else [_lines(others, axes, OTHERS)]
    traces += [_lines(frame[frame["group"] == group], axes, group) for group in (BEST, BASELINE)]
    horizontal = {
        "tickvals": list(range(len(axes))),
        "ticktext": [ink.cut(name, 14) for name in axes],
        "range": [-0.35, len(axes) - 0.65],
        "ticks": "",
        "showline": False,
    }
    vertical = {"range": [-0.06, 1.1], "visible": False}
    shapes = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": {"color": ink.FAINT, "width": 1}, "layer": "below"}
        for x in range(len(axes))
    ]
    traces = [trace for trace in traces if trace["x"]]
    return ink.figure(
        [*traces, _levels(frame, axes)], height=400, x=horizontal, y=vertical, shapes=shapes,
        margin={"l": 20, "r": 52, "t": 8, "b": 40}, meta={"least": 84 * len(axes)},
    )  # fmt: skip


def _axis(levels: pd.Series, name: str) -> pd.DataFrame:
    """Places levels on an axis: numbers in proportion, else evenly in the order of their text; missing at the foot."""
    codes, known = pd.factorize(levels)  # a level that is missing has the last place
    shown, numbers = np.array([*map(str, known), ABSENT], dtype=object)[codes], numeric(levels)
    if numbers is None:
        order = sorted(map(str, known))
        places = [*(float(order.index(str(level))) for level in known), np.nan]
        numbers = pd.Series(np.array(places)[codes], index=levels.index)
    return pd.DataFrame({f"at:{name}": _spread(numbers), f"is:{name}": shown}, index=levels.index)


def _spread(values: pd.Series) -> pd.Series:
    low, high = values.min(), values.max()
    placed: pd.Series = (values - low) / (high - low) if high > low else values * 0 + 0.5
    return placed.fillna(-0.04)


def _lines(part: pd.DataFrame, axes: list[str], group: str) -> ink.Trace:
    style = {
        BEST: {"color": ink.SERIES[0], "width": 1.6},
        BASELINE: {"color": ink.INK, "width": 2, "dash": "dash"},
        OTHERS: {"color": ink.shade(ink.FAINT, ink.MASS if len(part) > FEW else ink.HEAT[-1]), "width": 1},
    }[group]
    x: list[int | None] = []
    y: list[float | None] = []
    hover: list[str] = []
    arms: list[str] = []
    for row in part.to_dict("records"):
        x += [*range(len(axes)), None]
        y += [*(float(row[f"at:{name}"]) for name in axes), None]
        hover += [_hover(row)] * (len(axes) + 1)
        arms += [str(row["arm"])] * (len(axes) + 1)
    shown = group != OTHERS
    return {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": style, "name": group,
        "hovertext": hover if shown else None, "hoverinfo": "text" if shown else "skip",
        "customdata": arms if shown else None,
    }  # fmt: skip


def _counted(part: pd.DataFrame, axes: list[str]) -> list[ink.Trace]:
    """Draws each way between two neighbouring axes once, in one of four widths by how many arms go it."""
    ways: list[tuple[int, float, float, int]] = []
    for place, (one, other) in enumerate(pairwise(axes)):
        cells = [(part[f"at:{name}"] * CELLS).round() / CELLS for name in (one, other)]
        counted = part.groupby(cells).size().rename("n").reset_index()
        ways += [(place, y0, y1, n) for y0, y1, n in counted.itertuples(index=False, name=None)]
    most = max(n for *_, n in ways)
    traces = []
    for width in range(4):
        own = [way for way in ways if min(int(4 * way[3] / most), 3) == width]
        x = [value for place, *_ in own for value in (place, place + 1, None)]
        y = [value for _, y0, y1, _ in own for value in (y0, y1, None)]
        line = {"color": ink.shade(ink.FAINT, ink.MASS), "width": 0.8 + 1.6 * width}
        traces.append(
            {
                "type": "scatter", "x": x, "y": y, "mode": "lines", "line": line, "hoverinfo": "skip",
                "name": OTHERS, "showlegend": width == 0,
            }
        )  # fmt: skip
    return traces


def _levels(frame: pd.DataFrame, axes: list[str]) -> ink.Trace:
    """Writes the levels along each axis: all of a few, else the ends."""
    x, y, text, sides = [], [], [], []
    for place, name in enumerate(axes):
        column, told = MEASURES.get(name, (f"is:{name}", str))
        known = frame[[f"at:{name}", column]].drop_duplicates().sort_values(f"at:{name}")
        shown = known if len(known) <= 6 else known.iloc[[0, -1]]
        for at, level in zip(shown[f"at:{name}"].tolist(), map(told, shown[column]), strict=True):
            x.append(place)
            y.append(float(at))
            text.append(" " + ink.cut(level, 10))
            sides.append(_side(float(at), float(known[f"at:{name}"].min())))
    return {
        "type": "scatter", "x": x, "y": y, "mode": "text", "text": text, "textposition": sides,
        "textfont": {"color": ink.INK, "size": 11.5, "shadow": "auto"}, "hoverinfo": "skip", "showlegend": False,
        "cliponaxis": False,
    }  # fmt: skip


def _side(at: float, lowest: float) -> str:
    """Says on which side of its place a level is written: at the ends of an axis beyond it, where no line goes."""
    return "top right" if at == 1 else "bottom right" if at == lowest == 0 else "middle right"


def _hover(row: dict[Any, Any]) -> str:
    return f"<b>{ink.plain(row['label'])}</b><br>{percent(row['mean'], 2)} at {quantity(row['macs'], 'MACs')}"
