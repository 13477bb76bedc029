"""Sections of the page, one file each: a new file here is a new section, and nothing else is edited.

A section module has ``ID`` (its anchor, and what figures name as their ``SECTION``), ``ORDER``, and
``build(findings) -> Section``. A section without text, tables and figures does not appear.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Protocol, cast

from reports.findings import Findings
from reports.grid import Grid


@dataclass(frozen=True)
class Section:
    """A section: its heading, banners and paragraphs before its figures, tables, lists of facts, and notes after them.

    A banner is a sentence that no reader of the section may miss.
    """

    title: str
    lead: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    banners: tuple[str, ...] = ()


class SectionModule(Protocol):
    """What a section module has."""

    __name__: str
    ID: str
    ORDER: int

    def build(self, findings: Findings) -> Section: ...


def discover() -> list[SectionModule]:
    """Returns every section module of this folder, in the order of the page."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return sorted((cast(SectionModule, module) for module in modules), key=lambda module: module.ORDER)
