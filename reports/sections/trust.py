"""How far to trust the page: the books, every mishap with its reason, and how the run was made."""

from __future__ import annotations

from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, SPACE, count
from reports.provenance import provenance
from reports.sections import Section
from reports.selection import chosen, seeds_used, test_ledger
from reports.trust import ENDED, Counts

ID = "trust"
ORDER = 90
MOST_REASONS = 100


def build(findings: Findings) -> Section:
    """Returns the section."""
    counts = findings.counts
    lead = [_trial_sum(counts), *_earlier(counts), _arm_sum(counts)]
    banners = []
    if not counts.adds_up:
        banners.append(
            "These sums do not add up: the record and the plan disagree. Run the study’s command again, or audit it."
        )
    warnings = tuple(("Warning", str(warning)) for warning in findings.table.environment["warnings"])
    grids = [_trials(counts)] + ([_reasons(counts)] if len(counts.reasons) else [])
    facts = (*seeds_used(findings), *chosen(findings), *test_ledger(findings), *provenance(findings))
    return Section("How far to trust it", tuple(lead), tuple(grids), (*warnings, *facts), banners=tuple(banners))


def _trial_sum(counts: Counts) -> str:
    parts = [f"{counts.of(status):,}{SPACE}{status}" for status in ENDED]
    parts += [f"{counts.of('running'):,} running"] if counts.of("running") else []
    parts += [f"{counts.not_run:,} not run yet"] if counts.not_run else []
    sign = "=" if counts.adds_up else "≠"
    return f"{count(counts.planned, 'trial')} planned {sign} {' + '.join(parts)}."


def _earlier(counts: Counts) -> list[str]:
    if not counts.earlier:
        return []
    return [
        f"Beside them {count(counts.earlier, 'trial')} of an earlier plan, whose arms others took the place of when "
        "something was added: kept, and no longer counted."
    ]


def _arm_sum(counts: Counts) -> str:
    parts = [f"{number:,}{SPACE}{status}" for status, number in counts.arms.items()]
    said = f"{count(counts.listed, 'arm')} = {' + '.join(parts)}."
    return said + (f" {count(counts.unmatched, 'arm')} could not be matched in cost." if counts.unmatched else "")


def _trials(counts: Counts) -> Grid:
    statuses = [*ENDED, *(["running"] if counts.of("running") else [])]
    planned = bool(counts.by_phase)
    columns = (
        Column("Phase", numeric=False),
        *((Column("Planned"),) if planned else ()),
        *(Column(status.capitalize()) for status in statuses),
        *((Column("Not run yet"),) if planned else (Column("All"),)),
    )
    rows = []
    for phase, row in [*counts.trials.iterrows(), ("all", counts.trials.sum())]:
        ended = [int(row[status]) for status in statuses]
        asked = counts.planned if phase == "all" else counts.by_phase.get(str(phase), 0)
        numbers = [asked, *ended, asked - sum(ended)] if planned else [*ended, sum(ended)]
        rows.append(
            [Cell(str(phase)), *(Cell(f"{number:,}" if number else ABSENT, float(number)) for number in numbers)]
        )
    return Grid("Trials by phase and status", columns, rows if len(rows) > 2 else rows[:1])


def _reasons(counts: Counts) -> Grid:
    shown = counts.reasons.head(MOST_REASONS)
    columns = (
        Column("What", numeric=False),
        Column("Arm", numeric=False),
        Column("Reason", numeric=False),
        Column("Times"),
    )
    rows = [
        [
            Cell(str(row["what"])),
            Cell(str(row["subject"])),
            Cell(str(row["reason"])),
            Cell(str(row["count"]), float(row["count"])),
        ]
        for row in shown.to_dict("records")
    ]
    left = len(counts.reasons) - len(shown)
    return Grid(
        "What was passed over, stopped or lost, and why",
        columns,
        rows,
        f"{left:,} more are in report.json." if left else "",
    )
