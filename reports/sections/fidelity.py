"""Whether short runs can be trusted to rank arms."""

from __future__ import annotations

from reports.findings import Findings
from reports.numbers import count, percent
from reports.sections import Section

ID = "fidelity"
ORDER = 55
TITLE = "Can short runs stand for full ones?"


def build(findings: Findings) -> Section:
    """Returns the section, empty if the study asked for no such check."""
    found = findings.fidelity
    if found is None:
        return Section(TITLE)
    agreement = found.agreement
    short, full = found.epochs
    said = f"{agreement.reason[:1].upper()}{agreement.reason[1:]}."
    if agreement.reversed == agreement.reversed:
        turned = percent(agreement.reversed, 0)
        said += f" Of two arms, {turned} of the time {short} epochs and {full} epochs disagree on which is better."
    if agreement.trusted:
        return Section(TITLE, lead=(said,))
    banner = f"The ranking after {count(short, 'epoch')} cannot be trusted to be that after {full}."
    return Section(TITLE, banners=(banner,), lead=(said,))
