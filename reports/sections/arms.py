"""One row an arm, its seeds folded in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, milliseconds, percent, quantity, seconds, words
from reports.sections import Section
from reports.table import ENGINE, LATENCIES, SIZE

ID = "arms"
ORDER = 40
MOST_ROWS = 200

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section: every arm that was run, or the best of very many."""
    arms = findings.arms
    measured = bool((arms["n"] > 0).any())
    note = "Mean and half-width of the 95% t interval over seeds; SD over seeds." if measured else ""
    if len(arms) > MOST_ROWS:
        arms = arms.sort_values(["front", "mean"], ascending=False, kind="stable").iloc[:MOST_ROWS]
        note += (
            f" The {MOST_ROWS} best of {len(findings.arms):,} arms, those of the Pareto front first; all are in "
            "report.json and results.csv."
        )
    columns = [(column, make) for column, make, wanted in _columns(findings) if wanted]
    rows = [[make(row) for _, make in columns] for row in arms.reset_index(names="arm").to_dict("records")]
    grid = Grid("Arms, seeds folded in", tuple(column for column, _ in columns), rows, note)
    return Section("Arms", grids=(grid,))


def _columns(findings: Findings) -> list[tuple[Column, Callable[[Row], Cell], bool]]:
    arms, table = findings.arms, findings.table
    shown, tested = digits(table), digits(table, "test")
    winner = table.winner["arm"] if table.winner else None

    def name(row: Row) -> Cell:
        marks = [word for word, arm in (("baseline", table.baseline), ("winner", winner)) if row["arm"] == arm]
        marks += ["on the front"] if row["front"] else []
        marks = marks if len(arms) > 1 else []
        said = [mark for mark in marks if mark != row["label"]]
        return Cell(row["label"], note=" · ".join([row["arm"], *said]), arm=row["arm"])

    def accuracy(prefix: str, decimals: int) -> Callable[[Row], Cell]:
        return lambda row: _mean(row[f"{prefix}mean"], row[f"{prefix}high"], decimals)

    several, timed = bool((arms["n"] > 1).any()), bool(arms["epochs_to_target"].notna().any())
    measured = bool((arms["n"] > 0).any())
    confirmed, opened = (
        bool(table.main_phase == "explore" and (arms["confirm_n"] > 0).any()),
        bool((arms["test_n"] > 0).any()),
    )
    fresh = Column("Fresh seeds", hint="Validation accuracy in the confirm phase")
    return [
        (Column("Arm", numeric=False), name, True),
        (Column("MACs"), lambda row: Cell(quantity(row["macs"]), row["macs"]), True),
        (Column("Parameters"), lambda row: Cell(quantity(row["params"]), row["params"]), True),
        (Column("Activations"), lambda row: Cell(quantity(row["activations"]), row["activations"]), True),
        *((_latency_column(name), _latency(name), name in arms) for name in LATENCIES),
        (_size_column(arms), lambda row: Cell(milliseconds(row[SIZE]), row[SIZE]), SIZE in arms),
        (Column("Seeds", hint="Completed, of those planned"), _seeds, True),
        (Column("Validation"), accuracy("", shown), measured),
        (Column("SD,\u00a0pp"), lambda row: Cell(percent(row["sd"], 2).removesuffix("%"), row["sd"]), several),
        (Column("Training"), lambda row: Cell(percent(row["train_accuracy"], shown), row["train_accuracy"]), measured),
        (Column("Epochs to target"), _epochs, timed),
        (Column("Time a trial"), lambda row: Cell(seconds(row["seconds"]), row["seconds"]), measured),
        (fresh, accuracy("confirm_", shown), confirmed),
        (Column("Test", hint="Opened once, after the choice"), accuracy("test_", tested), opened),
    ]


def _latency_column(name: str) -> Column:
    images = name.removeprefix("latency_")
    hint = "Milliseconds, measured before anything was trained; intervals are in latency.csv"
    return Column(f"Batch of {images}, ms", hint=hint)


def _size_column(arms: pd.DataFrame) -> Column:
    engines = words(sorted(arms[ENGINE].dropna().unique())) if ENGINE in arms else ""
    return Column("MB", hint=f"Of the file that was timed, in {engines}; of the parameters alone in torch")


def _latency(name: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(milliseconds(row[name]), row[name])


def _mean(mean: float, high: float, decimals: int) -> Cell:
    if mean != mean:
        return Cell(ABSENT, mean)
    half = high - mean
    return Cell(percent(mean, decimals), mean, note="" if half != half else f"±{half * 100:.{decimals}f}")


def _seeds(row: Row) -> Cell:
    whole = row["n"] == row["planned"]
    return Cell(f"{row['n']}" if whole else f"{row['n']} of {row['planned']}", float(row["n"]))


def _epochs(row: Row) -> Cell:
    value = row["epochs_to_target"]
    return Cell(ABSENT if value != value else f"{value:.1f}".removesuffix(".0"), value)
