"""Learning curves."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "curves"
ORDER = 30


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    return Section("Learning curves")
