"""Accuracy against cost; for a search, the best arm under each limit."""

from __future__ import annotations

from reports import costs
from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, percent, points
from reports.sections import Section

ID = "cost"
ORDER = 10


def build(findings: Findings) -> Section:
    """Returns the section; its figure is ``reports.figures.accuracy_cost``."""
    return Section("Accuracy against cost", grids=(_limits(findings),) if len(findings.bands) else ())


def _limits(findings: Findings) -> Grid:
    shown, cost = digits(findings.table), findings.bands["cost"].iloc[0]
    columns = (
        Column("Limit", numeric=False),
        Column("Best arm", numeric=False),
        Column(costs.heading(cost)),
        Column("Validation"),
        Column("Against the baseline"),
        Column("Seeds"),
        Column("Not told apart", hint="Other arms within the limit whose difference from the best is within the noise"),
    )
    rows = [
        [
            Cell(costs.limit(row["limit"], cost), float(row["limit"])),
            Cell("no arm", note=f"the smallest has {costs.bare(row['least'], cost)}"),
            *(Cell(ABSENT, float("nan")) for _ in columns[2:]),
        ]
        for row in findings.unmet.to_dict("records")
    ]
    for row in findings.bands.to_dict("records"):
        limit = "none" if row["limit"] == float("inf") else costs.limit(row["limit"], cost)
        rows.append(
            [
                Cell(limit, float(row["limit"])),
                Cell(row["label"], note=row["arm"], arm=row["arm"]),
                Cell(costs.bare(row["has"], cost), row["has"]),
                Cell(percent(row["mean"], shown), row["mean"]),
                Cell(points(row["gain"]), row["gain"]),
                Cell(str(int(row["n"])), float(row["n"])),
                Cell(str(row["rivals"]), float(row["rivals"])),
            ]
        )
    return Grid("The best arm under each limit of cost", columns, rows, "Uncorrected two-sided tests at 5%.")
