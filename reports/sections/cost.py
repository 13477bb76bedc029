"""Accuracy against cost; for a search, the best arm under each limit."""

from __future__ import annotations

from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import percent, points, quantity, round_quantity
from reports.sections import Section

ID = "cost"
ORDER = 10


def build(findings: Findings) -> Section:
    """Returns the section; its figure is ``reports.figures.accuracy_cost``."""
    return Section("Accuracy against cost", grids=(_limits(findings),) if len(findings.bands) else ())


def _limits(findings: Findings) -> Grid:
    shown = digits(findings.table)
    columns = (
        Column("Limit", numeric=False),
        Column("Best arm", numeric=False),
        Column("MACs"),
        Column("Validation"),
        Column("Against the baseline"),
        Column("Seeds"),
        Column("Not told apart", hint="Other arms within the limit whose difference from the best is within the noise"),
    )
    rows = []
    for row in findings.bands.to_dict("records"):
        limit = "none" if row["limit"] == float("inf") else round_quantity(row["limit"], "MACs")
        rows.append(
            [
                Cell(limit, float(row["limit"])),
                Cell(row["label"], note=row["arm"], arm=row["arm"]),
                Cell(quantity(row["macs"]), row["macs"]),
                Cell(percent(row["mean"], shown), row["mean"]),
                Cell(points(row["gain"]), row["gain"]),
                Cell(str(int(row["n"])), float(row["n"])),
                Cell(str(row["rivals"]), float(row["rivals"])),
            ]
        )
    return Grid("The best arm under each limit of cost", columns, rows, "Uncorrected two-sided tests at 5%.")
