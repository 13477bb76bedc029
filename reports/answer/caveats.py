"""What to beware of, before anything else on the page is believed."""

from __future__ import annotations

from reports.answer.searched import search_caveat
from reports.findings import Findings
from reports.lost import what_was_lost
from reports.numbers import count, moment, words


def caveats(findings: Findings) -> tuple[str, ...]:
    """Says what is unfinished, failed, added later or not to be trusted."""
    counts, said = findings.counts, []
    waiting = counts.not_run + counts.of("running")
    if waiting:
        ended = f"{counts.planned - waiting:,} of {count(counts.planned, 'planned trial')} have ended"
        said.append(
            f"Unfinished: {ended}. Every number may still change, and nothing counts as detected before its seeds "
            "are complete."
        )
    running = findings.table.environment.get("running")
    if running:
        said.insert(
            0, f"Written on {moment(str(running))}, while the study was running: load the page again for a newer one."
        )
    if not counts.adds_up:
        said.append("The record does not add up to what was planned; see “How far to trust it”.")
    mishaps = [f"{counts.of(status):,} {status}" for status in ("failed", "diverged") if counts.of(status)]
    if mishaps:
        said.append(f"Trials without a result: {words(mishaps)}; the reasons are under “How far to trust it”.")
    gone = what_was_lost(findings.table)
    if findings.table.design.kind == "factorial" and gone:
        said.append(
            f"Lost: {gone} gave no result. What is averaged over is what is left; each effect says what is left out."
        )
    said += [
        f"Added after results had been seen: {each['what']} ({moment(each['time'])})."
        for each in findings.table.additions
    ]
    checked = findings.fidelity
    if checked is not None and not checked.agreement.trusted:
        short, full = checked.epochs
        reason = checked.agreement.reason
        said.append(f"The ranking after {count(short, 'epoch')} cannot be trusted to be that after {full}: {reason}.")
    if len(findings.bands):
        said.append(search_caveat(findings))
    warnings = findings.table.environment["warnings"]
    if warnings:
        said.append(f"The run left {count(len(warnings), 'warning')}; see “How far to trust it”.")
    return tuple(said)
