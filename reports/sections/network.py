"""The winner as a network."""

from __future__ import annotations

from reports.findings import Findings
from reports.sections import Section

ID = "network"
ORDER = 70


def build(findings: Findings) -> Section:
    """Returns the section, which is its figure."""
    which = "The winner" if findings.table.winner else "The baseline"
    return Section(f"{'The network' if findings.table.main_phase == 'confirm' else which}, stage by stage")
