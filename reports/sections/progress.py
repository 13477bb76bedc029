"""What a search found by the time it had spent so much."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "progress"
ORDER = 33


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    return Section("Progress of the search")
