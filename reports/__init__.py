"""What was learned: a run directory becomes one offline HTML page that answers the study's question.

    reports.build("runs/expansion_ablation")        # writes report.html and report.json there
    reports.statistics.effects(table, baseline="relu", by="activation", pair="seed", value="accuracy")

It reads files only, and imports neither torch nor the packages that wrote them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports import statistics
    from reports.page import build
    from reports.table import RunError

__all__ = ["RunError", "build", "statistics"]
HOMES = {"RunError": "reports.table", "build": "reports.page"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for, and not before: the command has to say how many threads numpy may have first."""
    if name == "statistics":
        return importlib.import_module("reports.statistics")
    if name in HOMES:
        return getattr(importlib.import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
