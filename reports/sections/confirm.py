"""The confirm phase: finalists on fresh seeds, the winner, and the test split that was opened once."""

from __future__ import annotations

from typing import Any

from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, count, moments, percent, percent_interval, points, points_interval
from reports.sections import Section

ID = "confirm"
ORDER = 50


def build(findings: Findings) -> Section:
    """Returns the section, empty if no arm was taken to the confirm phase."""
    if findings.confirmed.empty or findings.table.main_phase == "confirm":
        return Section("Confirmation")
    return Section("Confirmation on fresh seeds", lead=(_story(findings),), grids=(_grid(findings),))


def _story(findings: Findings) -> str:
    table = findings.table
    compared = int((findings.arms["n"] > 0).sum())
    said = (
        f"{count(len(table.finalists), 'finalist')} of {count(compared, 'arm')} and the baseline were trained again on "
        "seeds that the choice had not seen. The winner has the best mean validation accuracy here."
    )
    if before := _earlier(findings):
        were = "was a finalist" if len(before) == 1 else "were finalists"
        said += (
            f" {count(len(before), 'more arm')} {were} of an earlier plan, before something was added to the study; "
            "the winner was not chosen from among such."
        )
    lost = findings.shrinkage[findings.shrinkage.index.isna()] if len(findings.shrinkage) else findings.shrinkage
    if len(lost) and lost["shrinkage"].notna().all():
        row = lost.iloc[0]
        moved = f"{points(-row['shrinkage'])} {points_interval(-row['high'], -row['low'])}".strip()
        said += f" From selection to confirmation the finalists’ mean gain over the baseline moved by {moved}."
    if findings.inflation is not None:
        expected = points(findings.inflation.expected)[1:]
        arms = findings.inflation.arms
        said += f" Had all {arms} arms been equal, the best would have been expected to fall by {expected}."
    if not table.test_openings:
        return f"{said} The test split is sealed."
    times = len(table.test_openings)
    often = "once" if times == 1 else f"{times} times, each after a choice,"
    return f"{said} The test split was opened {often} on {moments(table.test_openings)}, to report and not to choose."


def _grid(findings: Findings) -> Grid:
    rows = findings.confirmed.reset_index(names="arm").to_dict("records")
    tested = bool((findings.confirmed["test_n"] > 0).any())
    known = bool(findings.confirmed["worth"].notna().any())
    columns = (
        Column("Arm", numeric=False),
        Column("Explore", hint="Validation accuracy that the finalists were chosen by"),
        Column("Fresh seeds", hint="Validation accuracy in the confirm phase, with its 95% t interval"),
        *((Column("Both phases", hint="What the arm is worth by explore and fresh seeds together"),) if known else ()),
        Column(
            "Change of the gain", hint="Gain over the baseline on fresh seeds less that in explore, 95% Welch interval"
        ),
        Column("Against the baseline", hint="Paired difference on the fresh seeds, with its 95% t interval"),
        *((Column("Test", hint="With its 95% t interval"),) if tested else ()),
        Column("Seeds"),
    )
    note = "Means with 95% t intervals over seeds, clipped to 0–100%. Differences in percentage points (pp)."
    if known:
        note += (
            " Both phases: what the arm is worth by its scores in explore and on fresh seeds together, drawn towards "
            "the others by as much as the noise calls for. The best of several finalists on fresh seeds is itself a "
            "little lucky; what both phases say is not."
        )
    body = [_row(findings, row, known=known, tested=tested) for row in rows]
    return Grid("Finalists on fresh seeds", columns, body, note)


def _row(findings: Findings, row: dict[Any, Any], *, known: bool, tested: bool) -> list[Cell]:
    table, shown = findings.table, digits(findings.table)
    winner = table.winner is not None and row["arm"] == table.winner["arm"]
    earlier = row["arm"] in _earlier(findings)
    told = (("winner", winner), ("baseline", row["arm"] == table.baseline), ("finalist of an earlier plan", earlier))
    marks = [word for word, true in told if true]
    gain = row["gain_effect"]
    cells = [
        Cell(
            row["label"],
            note=" · ".join(mark for mark in marks if mark != row["label"]),
            style="chosen" if winner else "",
            arm=row["arm"],
        ),
        Cell(percent(row["mean"], shown), row["mean"]),
        _accuracy(row, "confirm", shown),
        *([_worth(row, shown)] if known else []),
        _shrunk(findings, row["arm"]),
        Cell(ABSENT if gain != gain else points(gain), gain, note=points_interval(row["gain_low"], row["gain_high"])),
    ]
    cells += [_accuracy(row, "test", digits(table, "test"))] if tested else []
    return [*cells, Cell(str(int(row["confirm_n"])), float(row["confirm_n"]))]


def _earlier(findings: Findings) -> list[str]:
    """Returns the arms whose trials on fresh seeds are all of an earlier plan."""
    trials = findings.table.phase("confirm")
    now = set(trials.loc[~trials["trial"].isin(list(findings.table.earlier)), "arm"])
    return [arm for arm in findings.confirmed.index if arm not in now]


def _shrunk(findings: Findings, arm: str) -> Cell:
    """Returns by how much an arm's gain over the baseline fell from selection to confirmation, with its interval."""
    if arm not in findings.shrinkage.index:
        return Cell(ABSENT, float("nan"))
    lost: dict[Any, Any] = findings.shrinkage.loc[arm].to_dict()
    return Cell(points(-lost["shrinkage"]), -lost["shrinkage"], note=points_interval(-lost["high"], -lost["low"]))


def _worth(row: dict[Any, Any], shown: int) -> Cell:
    interval = percent_interval(row["worth_low"], row["worth_high"], shown)
    return Cell(percent(row["worth"], shown), row["worth"], note=interval)


def _accuracy(row: dict[Any, Any], stage: str, decimals: int) -> Cell:
    mean = row[f"{stage}_mean"]
    interval = percent_interval(row[f"{stage}_low"], row[f"{stage}_high"], decimals)
    return Cell(percent(mean, decimals), mean, note=interval)
