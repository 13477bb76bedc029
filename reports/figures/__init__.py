"""Figures, one file each: a new file here is a new figure on the page, and nothing else is edited.

A figure module has

- ``SECTION``: the section of the page it belongs to (see ``reports.sections``), ``ORDER``: its place there;
- ``TITLE``, and ``caption(frame)``: what to see, in a sentence or two;
- ``data(table) -> DataFrame``: everything that is drawn, as numbers; empty when the run has nothing to show;
- ``draw(frame) -> ink.Figure``, or a list of them that the page sets side by side, or a mapping of names to either:
  variants, of which the reader switches one on (``SWITCH`` is then the name of the switch, such as "Cost"). Plotly's
  own figures will do too; importing plotly takes longer than a page does, so ours are made by ``ink.figure``;
- ``COLUMNS``: the columns of the frame that readers see under the figure, with their headings. Where the frame has
  a column ``arm``, the first cell of a row opens that arm. Those in ``OPTIONAL``, if there is one, only some runs have.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, cast

import pandas as pd

from reports.ink import Figure as Panel
from reports.table import Table

Panels = Panel | list[Panel]
Drawing: TypeAlias = Panels | Mapping[str, Panels]


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


def variants(drawn: Any) -> dict[str, list[Any]]:
    """Returns what a figure drew as panels by variant; the only variant's name is empty."""
    named = drawn if isinstance(drawn, Mapping) else {"": drawn}
    return {name: panels if isinstance(panels, list) else [panels] for name, panels in named.items()}
