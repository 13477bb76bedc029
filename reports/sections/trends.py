"""Accuracy by level of each numeric factor."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "trends"
ORDER = 27


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    return Section("Levels of numeric factors")
