"""Figures, one file each: a new file here is a new figure on the page, and nothing else is edited.

A figure module has

- ``SECTION``: the section of the page it belongs to (see ``reports.sections``), ``ORDER``: its place there;
- ``TITLE``, and ``caption(frame)``: what to see, in a sentence or two;
- ``data(table) -> DataFrame``: everything that is drawn, as numbers; empty when the run has nothing to show;
- ``draw(frame) -> plotly figure``, or a list of them that the page sets side by side, or a dictionary of named variants
  of which the page shows one at a time, the first at first;
- ``COLUMNS``: the columns of the frame that readers see under the figure, with their headings.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Protocol, TypeAlias, cast

import pandas as pd
import plotly.graph_objects as go

from reports.table import Table

Drawing: TypeAlias = go.Figure | list[go.Figure] | dict[str, go.Figure]


class Figure(Protocol):
    """What a figure module has."""

    __name__: str
    SECTION: str
    ORDER: int
    TITLE: str
    COLUMNS: Mapping[str, str]

    def data(self, table: Table) -> pd.DataFrame: ...

    def caption(self, frame: pd.DataFrame) -> str: ...

    def draw(self, frame: pd.DataFrame) -> Drawing: ...


def discover() -> list[Figure]:
    """Returns every figure module of this folder, in the order of the page.

    Raises:
        TypeError: If a module lacks a part of a figure.
    """
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    for module in modules:
        lacking = [
            part
            for part in ("SECTION", "ORDER", "TITLE", "COLUMNS", "data", "caption", "draw")
            if not hasattr(module, part)
        ]
        if lacking:
            raise TypeError(f"the figure {module.__name__} lacks {', '.join(lacking)}")
    return sorted((cast(Figure, module) for module in modules), key=lambda module: (module.ORDER, module.__name__))


def panels(drawn: Drawing) -> list[tuple[str, go.Figure]]:
    """Returns the figures of a drawing with their names as variants; the names are empty where all are shown."""
    if isinstance(drawn, dict):
        return list(drawn.items())
    return [("", panel) for panel in (drawn if isinstance(drawn, list) else [drawn])]
