"""Populations: the error distributions of spaces, at equal cost."""

from __future__ import annotations

from typing import Any

from reports.comparisons import COST_NAMES
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT, count, p_value, percent, points, points_interval, quantity
from reports.sections import Section
from reports.spaces import Population

ID = "population"
ORDER = 12
TITLE = "The error over arms drawn at random"

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section, empty for other designs."""
    found = findings.population
    if found is None:
        return Section(TITLE)
    lead = [_story(findings, found)]
    if found.unequal:
        lead.append(f"Costs could not be made equal: {found.unequal}. Every arm of a space weighs the same.")
    grids = [_spaces(found)] + ([_differences(found)] if len(found.differences) else [])
    return Section(TITLE, lead=tuple(lead), grids=tuple(grids))


def _story(findings: Findings, found: Population) -> str:
    design = findings.table.design
    said = f"{count(len(found.sample), 'arm')} drawn at random"
    if design.cost_band:
        ends = (("from", design.cost_band.get("min")), ("to", design.cost_band.get("max")))
        band = " ".join(f"{word} {quantity(float(end))}" for word, end in ends if end is not None)
        said += f", {band} {COST_NAMES.get(found.cost, found.cost)}"
    if design.acceptance:
        drawn, accepted = design.acceptance["drawn"], design.acceptance["accepted"]
        said += f": {accepted:,} of {count(drawn, 'draw')} were accepted"
    return f"{said}. The baseline was not drawn and is no part of the distributions."


def _spaces(found: Population) -> Grid:
    columns = (
        Column("Space", numeric=False),
        Column("Arms"),
        Column("Accepted", hint="Of the draws; the others broke a constraint, missed the band, or were there already"),
        Column("Mean error", hint="Weighted to equal cost where spaces are compared"),
        Column("Median error", hint="Unweighted"),
        Column("Best", hint="Lowest error of a single arm; it is the better the more arms there are"),
        Column("Effective arms", hint="How many equally weighted arms would be worth as much"),
    )
    rows = [
        [
            Cell(str(row["space"])),
            Cell(f"{row['arms']:,}", float(row["arms"])),
            Cell(ABSENT if row["drawn"] != row["drawn"] else f"{row['accepted']:,.0f} of {row['drawn']:,.0f}"),
            Cell(percent(row["mean"], 2), row["mean"]),
            Cell(percent(row["median"], 2), row["median"]),
            Cell(percent(row["best"], 2), row["best"]),
            Cell(f"{row['effective']:.1f}", row["effective"]),
        ]
        for row in found.spaces.to_dict("records")
    ]
    return Grid("Spaces", columns, rows)


def _differences(found: Population) -> Grid:
    columns = (
        Column("Space", numeric=False),
        Column("Against", numeric=False),
        Column("Mean error, difference"),
        Column("95% interval"),
        Column("p", hint="Welch’s t test of the weighted means"),
        Column("p,\u00a0Holm"),
        Column("Largest distance", hint="Between the two curves: the statistic of the Kolmogorov–Smirnov test"),
        Column("p of the distance", hint="Of the Kolmogorov–Smirnov test"),
    )
    rows = [
        [
            Cell(row["space"]),
            Cell(row["against"]),
            Cell(points(row["mean"]), row["mean"]),
            Cell(points_interval(row["low"], row["high"]) or ABSENT, row["low"]),
            Cell(p_value(row["p"]), row["p"]),
            Cell(p_value(row["p_holm"]), row["p_holm"]),
            Cell(f"{row['ks']:.2f}", row["ks"]),
            Cell(p_value(row["ks_p"]), row["ks_p"]),
        ]
        for row in found.differences.to_dict("records")
    ]
    where = "" if found.unequal else ", at equal cost"
    return Grid(
        f"Spaces compared{where}", columns, rows, "A negative difference is a lower error than the first space’s."
    )
