"""The winner as a network."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "network"
ORDER = 70


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    return Section("The winner, stage by stage" if findings.table.winner else "The baseline, stage by stage")
