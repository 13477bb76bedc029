"""Where the time went."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "time"
ORDER = 80


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    return Section("Where the time went")
