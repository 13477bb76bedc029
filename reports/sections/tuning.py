"""Each arm's own recipe: what was tried, what was chosen, and at what score."""

from __future__ import annotations

from typing import Any

from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, count, percent, points, words
from reports.sections import Section
from reports.tuning import in_words, names

ID = "tuning"
ORDER = 26


def build(findings: Findings) -> Section:
    """Returns the section, empty if no recipe was tuned."""
    if findings.tuning.empty:
        return Section("Each arm’s own recipe")
    return Section("Each arm’s own recipe", lead=(_story(findings),), grids=(_grid(findings),))


def _story(findings: Findings) -> str:
    table, rows = findings.table, findings.tuning
    tuned = words(names(table))
    budget = sorted(set(rows["candidates"]))
    tries = str(budget[0]) if len(budget) == 1 else f"{budget[0]} to {budget[-1]}"
    seeds = len({*table.trials.loc[table.trials["phase"] == "tune", "seed"]})
    kept = int(rows["kept"].sum())
    said = (
        f"Each of {count(len(rows), 'arm')}, the baseline too, tried {tries} values of {tuned}, its own among them, on "
        f"{count(seeds, 'seed')} that no comparison uses. {_outcome(kept, len(rows))}"
    )
    same = "" if len(budget) == 1 else " The budgets differ, so the tuned effects are not fair to all arms alike."
    return f"{said}{same} Raw and tuned effects stand side by side under “Effects against the baseline”."


def _outcome(kept: int, arms: int) -> str:
    """Says how many kept the study's own values, and what became of the others, if there are any."""
    if kept == arms:
        return "All kept the study’s own, so that nothing was trained again."
    others = "the other was" if arms - kept == 1 else "the others were"
    whose = "it" if arms - kept == 1 else "them"
    return (
        f"{count(kept, 'arm') if kept else 'None'} kept the study’s own; {others} trained again on the study’s seeds "
        f"with the value that was best for {whose}."
    )


def _grid(findings: Findings) -> Grid:
    shown = digits(findings.table)
    tuned = words(names(findings.table))
    columns = (
        Column("Arm", numeric=False),
        Column(f"Own {tuned}"),
        Column(f"Chosen {tuned}"),
        Column("Own score", hint="Validation accuracy of the trial with the study’s own values"),
        Column("Chosen score", hint="Validation accuracy of the best trial"),
        Column("Gain", hint="It looks better than it is: it is the best of several tries"),
        Column("Tried"),
    )
    rows = [_row(row, shown) for row in findings.tuning.to_dict("records")]
    note = "One trial a value. The gain is that of the best of several single trials, and so too large on average."
    return Grid("What each arm was tuned to", columns, rows, note)


def _row(row: dict[Any, Any], shown: int) -> list[Cell]:
    whole = row["ended"] == row["candidates"]
    tried = f"{row['candidates']}" if whole else f"{row['ended']} of {row['candidates']} completed"
    return [
        Cell(row["label"]),
        Cell(in_words(row["own"])),
        Cell(in_words(row["values"]) or ABSENT, note="kept" if row["kept"] else ""),
        Cell(percent(row["own_score"], shown), row["own_score"]),
        Cell(percent(row["score"], shown), row["score"]),
        Cell(points(row["gain"]), row["gain"]),
        Cell(tried, float(row["ended"])),
    ]
