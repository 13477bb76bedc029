"""What more seeds would buy."""

from __future__ import annotations

from typing import Any

from reports.comparisons import BOTH, COST_NAMES, MATCHED, RAW, TUNED
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, count, points, seconds, unbroken
from reports.sections import Section
from reports.statistics import sd_interval

ID = "power"
ORDER = 65

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section, empty where no difference has an interval to be narrowed."""
    found = findings.outlook
    if found.seeds.empty:
        return Section("What more seeds would buy")
    decidable = len(found.open) and findings.table.margin is not None
    grids = [_seeds(findings)] + ([_open(findings)] if decidable else [])
    notes = (("How this is computed", _method(findings)),)
    return Section("What more seeds would buy", grids=tuple(grids), notes=notes)


def _seeds(findings: Findings) -> Grid:
    columns = (
        Column("Seeds an arm"),
        Column("Half-width of an interval", hint="Expected, of the 95% t interval of a difference"),
        Column("Difference that would be found", hint="With 80% power at the family’s strictest level"),
        Column("Trials more"),
        Column("Time more"),
    )
    rows = []
    for row in findings.outlook.seeds.to_dict("records"):
        now = row["more"] == 0
        rows.append(
            [
                Cell(f"{row['pairs']:,.0f}", float(row["pairs"]), note="now" if now else f"{row['more']:.0f} more"),
                Cell(f"±{points(row['half_width'])[1:]}", row["half_width"]),
                Cell(points(row["detectable"])[1:], row["detectable"]),
                Cell("0" if now else f"{row['trials']:,.0f}", float(row["trials"])),
                Cell(ABSENT if now else seconds(row["seconds"]), row["seconds"]),
            ]
        )
    note = (
        f"A further seed trains all {count(findings.outlook.arms, 'arm')}; times are this run’s own, all workers busy."
    )
    return Grid("More seeds for every arm", columns, rows, note)


def _open(findings: Findings) -> Grid:
    columns = (
        Column("Open comparison", numeric=False),
        Column("At", numeric=False),
        Column("Effect"),
        Column("SD", hint="Of the paired differences"),
        Column("To find", hint="The study’s margin"),
        Column("Seeds needed"),
        Column("Trials more"),
        Column("Time more"),
    )
    rows = [_row(findings, row) for row in findings.outlook.open.to_dict("records")]
    return Grid("Seeds that would decide what is open", columns, rows, "To find: the study’s margin.")


def _row(findings: Findings, row: Row) -> list[Cell]:
    cost = COST_NAMES.get(str(findings.table.design.match), "cost")
    at = {RAW: "its own cost", MATCHED: f"equal {cost}", TUNED: "tuned", BOTH: f"equal {cost}, tuned"}
    known = row["needed"] == row["needed"]
    return [
        Cell(unbroken(row["change"])),
        Cell(at[row["at"]], style="whole"),
        Cell(points(row["effect"]), row["effect"]),
        Cell(points(row["sd"])[1:], row["sd"]),
        Cell(points(row["target"])[1:], row["target"]),
        Cell(f"{row['needed']:,.0f}" if known else "over 100,000", row["needed"], note=f"has {row['pairs']:.0f}"),
        Cell(f"{row['trials']:,.0f}" if known else ABSENT, row["trials"]),
        Cell(seconds(row["seconds"]) if known else ABSENT, row["seconds"]),
    ]


def _method(findings: Findings) -> str:
    now = findings.outlook.seeds.iloc[0]
    typical, pairs = points(float(now["sd"]))[1:], int(now["pairs"])
    low, high = sd_interval(1.0, pairs)
    second = (
        "The second takes each comparison’s own. "
        if findings.table.margin is not None
        else "The study states no margin, so no number of seeds would decide what is open. "
    )
    return (
        f"The first table takes the median scatter of the paired differences, an SD of {typical}, as the true one, and "
        "tests at the strictest level that Holm’s correction asks of the family, "
        f"5% / {round(0.05 / findings.outlook.level):,}. {second}An SD from "
        f"{pairs} pairs is itself uncertain (the true one may be {low:.1f} to {high:.1f} times as large), so these are "
        "orders of magnitude. Seeds "
        "that are added because a result was seen make the next test too easy to pass; the page then says which were."
    )
