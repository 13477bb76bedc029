"""Figures made ready for the page: what plotly.js needs, and the data as a table and as CSV."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from markupsafe import Markup

from reports import figures
from reports.abreast import abreast
from reports.exchange import frame_csv
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, MINUS
from reports.table import Table

MOST_ROWS = 200
MOST_CSV = 5000


@dataclass(frozen=True)
class Panel:
    """One drawing: its name on the page, its JSON, its height in pixels, and the arms that its points are."""

    name: str
    text: Markup
    height: int
    arms: frozenset[str]


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its data as drawn, as a table and as CSV, and its panels, by variant."""

    name: str
    section: str
    title: str
    caption: str
    frame: pd.DataFrame
    grid: Grid
    csv: Markup
    switch: str
    variants: dict[str, tuple[Panel, ...]]

    @property
    def arms(self) -> set[str]:
        """The arms that the figure or its data name."""
        return self.grid.arms.union(*(panel.arms for panels in self.variants.values() for panel in panels))


def draw(table: Table, processes: int = 1) -> list[Drawn]:
    """Draws every figure that the run has something for, by so many processes (:func:`reports.abreast.abreast`)."""
    drawn = abreast([partial(_drawn, module, table) for module in figures.discover()], processes)
    return [figure for figure in drawn if figure is not None]


def _drawn(module: figures.Figure, table: Table) -> Drawn | None:
    frame = module.data(table)
    if frame.empty:
        return None
    name = module.__name__.rpartition(".")[2]
    described = (module.SECTION, module.TITLE, module.caption(frame), frame, _named(module, frame))
    return drawing(name, *described, module.draw(frame), getattr(module, "SWITCH", "Show"))


def _named(module: figures.Figure, frame: pd.DataFrame) -> dict[str, str]:
    """Returns the headings of the columns under a figure, without those that this run has nothing for."""
    missing = [name for name in getattr(module, "OPTIONAL", ()) if name not in frame]
    return {name: heading for name, heading in module.COLUMNS.items() if name not in missing}


def drawing(
    name: str,
    section: str,
    title: str,
    caption: str,
    frame: pd.DataFrame,
    headings: dict[str, str],
    made: Any,
    switch: str = "Show",
) -> Drawn:
    """Makes one figure ready; see ``reports.figures`` for the parts."""
    variants = {
        variant: _panels(f"{name}-{order}" if order else name, panels)
        for order, (variant, panels) in enumerate(figures.variants(made).items())
    }
    csv = inert(json.dumps(frame_csv(frame.head(MOST_CSV), headings)))
    return Drawn(name, section, title, caption, frame, _grid(title, frame, headings), csv, switch, variants)


def inert(text: str) -> Markup:
    """Returns JSON in which nothing can end its script element."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _panels(name: str, panels: list[Any]) -> tuple[Panel, ...]:
    return tuple(_panel(f"{name}-{number}", panel) for number, panel in enumerate(panels, 1))


def _panel(name: str, figure: Any) -> Panel:
    text = figure.to_json()
    layout = figure.layout if isinstance(figure.layout, dict) else figure.layout.to_plotly_json()
    traces = figure.data if isinstance(figure.layout, dict) else json.loads(text)["data"]
    listed = [trace.get("customdata") or () for trace in traces]
    arms = frozenset(arm for ids in listed for arm in ids if isinstance(arm, str) and arm)
    return Panel(name, inert(text), int(layout["height"]), arms)


def _grid(title: str, frame: pd.DataFrame, headings: dict[str, str]) -> Grid:
    top = frame.head(MOST_ROWS)
    columns = tuple(Column(heading, numeric=frame[name].dtype.kind in "iuf") for name, heading in headings.items())
    arms = top["arm"].tolist() if "arm" in top else [""] * len(top)
    rows = []
    for arm, (first, *others) in zip(arms, top[list(headings)].itertuples(index=False, name=None), strict=True):
        rows.append([_datum(first, arm if isinstance(arm, str) else ""), *map(_datum, others)])
    note = f"The first {len(top)} of {len(frame):,} rows; all are in report.json." if len(frame) > len(top) else ""
    return Grid(f"{title}: the data", columns, rows, note)


def _datum(value: Any, arm: str = "") -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no", arm=arm)
    if isinstance(value, int | float):
        if value != value:
            return Cell(ABSENT, float("nan"), arm=arm)
        text = f"{value:,.0f}" if value == int(value) else f"{value:.4f}"
        return Cell(text.replace("-", MINUS), float(value), arm=arm)
    return Cell(str(value), arm=arm)
