"""Which factors matter, over all arms."""

from __future__ import annotations

from reports.findings import Findings
from reports.importance import importance
from reports.sections import Section

ID = "importance"
ORDER = 35


def build(findings: Findings) -> Section:
    """Returns the section; its figures are ``reports.figures.importance`` and ``reports.figures.parallel``."""
    found = importance(findings.table)
    if found is None or not found.adaptive:
        return Section("Which factors matter")
    warning = (
        "A sampler chose these arms after seeing others: regions that it liked are crowded and factors that it settled "
        "early hardly vary, so shares say what mattered in this search, not in the space. A design of “population” "
        "draws arms at random."
    )
    return Section("Which factors matter", lead=(warning,))
