"""How far to trust the page: the books, every mishap with its reason, and how the run was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import count, seconds, words
from reports.sections import Section
from reports.trust import ENDED, Counts

ID = "trust"
ORDER = 90
MOST_REASONS = 100


def build(findings: Findings) -> Section:
    """Returns the section."""
    counts = findings.counts
    lead = [_trial_sum(counts), _arm_sum(counts)]
    if not counts.adds_up:
        lead.append(
            "These sums do not add up: the record and the plan disagree. Run the study’s command again, or audit it."
        )
    warnings = tuple(("Warning", str(warning)) for warning in findings.table.environment["warnings"])
    grids = [_trials(counts)] + ([_reasons(counts)] if len(counts.reasons) else [])
    facts = _facts(findings.table.environment, findings)
    return Section("How far to trust it", tuple(lead), tuple(grids), (*warnings, *facts))


def _trial_sum(counts: Counts) -> str:
    parts = [f"{counts.of(status):,} {status}" for status in ENDED]
    parts += [f"{counts.of('running'):,} running"] if counts.of("running") else []
    parts += [f"{counts.not_run:,} not run yet"] if counts.not_run else []
    sign = "=" if counts.adds_up else "≠"
    return f"{count(counts.planned, 'trial')} planned {sign} {' + '.join(parts)}."


def _arm_sum(counts: Counts) -> str:
    parts = [f"{number:,} {status}" for status, number in counts.arms.items()]
    said = f"{count(counts.listed, 'arm')} = {' + '.join(parts)}."
    return said + (f" {count(counts.unmatched, 'arm')} could not be matched in cost." if counts.unmatched else "")


def _trials(counts: Counts) -> Grid:
    statuses = [*ENDED, *(["running"] if counts.of("running") else [])]
    columns = (Column("Phase", numeric=False), *(Column(status.capitalize()) for status in statuses), Column("All"))
    rows = []
    for phase, row in [*counts.trials.iterrows(), ("both", counts.trials.sum())]:
        numbers = [int(row[status]) for status in statuses]
        rows.append([Cell(str(phase)), *(Cell(f"{number:,}", float(number)) for number in [*numbers, sum(numbers)])])
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
        "What did not go as planned, and why", columns, rows, f"{left:,} more are in report.json." if left else ""
    )


def _facts(environment: Mapping[str, Any], findings: Findings) -> list[tuple[str, str]]:
    data, hardware, seeds = environment["data"], environment["hardware"], environment["seeds"]
    phases = [f"{phase} {_span(list(used))}" for phase, used in seeds.items() if used]
    gpus = words([str(gpu) for gpu in hardware["gpus"]]) or "no GPU"
    workers = count(environment["workers"], "worker")
    facts = [
        ("Command", environment["command"]),
        ("Seeds", "; ".join(phases) or "none"),
        ("What a seed varies", words([str(word) for word in environment["varied"]])),
        (
            "Data",
            f"{data['kind']}: {data['train']:,} to train, {data['validation']:,} to validate, {data['test']:,} to test",
        ),
        ("Classes", str(len(data["classes"]))),
        ("Data checksum", data["checksum"]),
        ("Hardware", f"{hardware['cpu']}; {count(hardware['cores'], 'core')}; {hardware['memory_gib']} GiB; {gpus}"),
        ("Engine", f"{environment['engine']}, {workers} of {count(environment['threads'], 'thread')}"),
        (
            "Wall time",
            f"{seconds(float(environment['wall_seconds']))} in {count(len(environment['sessions']), 'session')}",
        ),
        ("Commit", environment["commit"] or "none: not a git checkout"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in environment["versions"].items())),
        ("Design", f"{findings.table.design.kind.replace('_', ' ')}; baseline arm {findings.table.baseline}"),
    ]
    return [(name, str(value)) for name, value in facts]


def _span(seeds: list[int]) -> str:
    consecutive = len(seeds) > 3 and seeds == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"{seeds[0]} to {seeds[-1]}" if consecutive else ", ".join(str(seed) for seed in seeds)
