"""The page that compares several studies, the numbers beside it, and both as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from reports import ink
from reports.across import Across, caveats, headline
from reports.answer import answer, question
from reports.drawing import Drawn, drawing, inert
from reports.exchange import markdown, plain_markdown
from reports.grid import Cell, Column, Grid
from reports.markdown import quoted
from reports.numbers import ABSENT, p_value, percent, points, points_interval
from reports.page import fill, replace
from reports.record import as_text, rows_of
from reports.sections import Section
from reports.statistics import Verdict

SCHEMA = 1
MOST_ROWS = 500
QUESTION = "What sets these studies apart?"


def write(found: Across, path: Path) -> Path:
    """Writes the page, and its numbers beside it as JSON, and returns the page's path.

    Raises:
        OSError: If the files cannot be written.
    """
    replace(path.with_suffix(".json"), as_text(record(found)))
    return replace(path, page(found))


def page(found: Across) -> str:
    """Returns the page as text."""
    figures = [_distributions(found)] if len(found.curves) else []
    parts = [
        ("studies", Section("The studies", grids=(_studies(found),)), []),
        ("shared", Section("The same arms", lead=_method(found), grids=_shared(found)), []),
        ("distributions", Section("All arms", grids=(_spread(found),)), figures),
        ("circumstances", Section("What differs", grids=(_circumstances(found),)), []),
    ]
    shown = [part for part in parts if part[2] or any(grid.rows for grid in part[1].grids)]
    return fill(
        "comparison.html",
        name=" · ".join(study.name for study in found.studies),
        question=QUESTION,
        headline=headline(found),
        caveats=caveats(found),
        statements=[(study.name, answer(study.findings).headline) for study in found.studies],
        sections=shown,
        arms=inert(json.dumps({"baseline": "", "spec": {}, "arms": {}, "columns": [], "every": 1, "left": 0})),
    )


def record(found: Across) -> dict[str, Any]:
    """Returns every number of the page: accuracies and differences as fractions, null where a number is missing."""
    return {
        "schema": SCHEMA,
        "headline": headline(found),
        "caveats": caveats(found),
        "studies": [
            {
                "name": study.name,
                "question": question(study.table),
                "headline": answer(study.findings).headline,
                "design": study.table.design.kind,
                "arms": int((study.findings.arms["n"] > 0).sum()),
                "trials": len(study.table.trials),
            }
            for study in found.studies
        ],
        "shared": rows_of(found.shared),
        "spread": rows_of(found.spread),
        "curves": rows_of(found.curves),
        "circumstances": rows_of(found.circumstances),
    }


def as_markdown(found: Across) -> str:
    """Returns the comparison as a comment on a pull request."""
    parts = [f"## {plain_markdown(QUESTION)}", f"**{plain_markdown(headline(found))}**", quoted(caveats(found))]
    grids = (_studies(found), *_shared(found), _spread(found), _circumstances(found))
    parts += [f"### {grid.caption}\n\n{markdown(grid)}" for grid in grids if grid.rows]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _studies(found: Across) -> Grid:
    columns = (
        *(Column(name, numeric=False) for name in ("Study", "Question", "Design")),
        Column("Arms"),
        Column("Trials"),
    )
    rows = []
    for study in found.studies:
        table, arms = study.table, int((study.findings.arms["n"] > 0).sum())
        design = table.design.kind.replace("_", " ")
        numbers = [Cell(f"{number:,}", float(number)) for number in (arms, len(table.trials))]
        rows.append([Cell(study.name), Cell(question(table)), Cell(design), *numbers])
    return Grid("The studies that are compared", columns, rows)


def _method(found: Across) -> tuple[str, ...]:
    if found.shared.empty:
        return ()
    first = found.studies[0].name
    return (
        f"Arms are the same where network, recipe and data are. Differences are from {first} to the other study, "
        "paired by phase and seed, with 95% t intervals; Holm’s correction is over all rows of this section.",
    )


def _shared(found: Across) -> tuple[Grid, ...]:
    return tuple(
        _against(found, other.name, found.shared[found.shared["study"] == other.name]) for other in found.studies[1:]
    )


def _against(found: Across, other: str, shared: pd.DataFrame) -> Grid:
    columns = (
        Column("Arm", numeric=False),
        Column(found.studies[0].name),
        Column(other),
        Column("Difference,\u00a0pp"),
        Column("95% interval"),
        Column("Verdict", numeric=False),
        Column("p,\u00a0Holm"),
        Column("Pairs", hint="Trials of the same phase and seed, completed in both"),
        Column("Identical", hint="Of them, those with the same accuracy to the last digit"),
    )
    order = [*Verdict]
    rows = []
    for row in shared.head(MOST_ROWS).to_dict("records"):
        verdict = Verdict(row["verdict"])
        interval = points_interval(row["low"], row["high"]) or ABSENT
        style = f"verdict {verdict.replace(' ', '-')}"
        cells = [Cell(row["label"], note=row["arm"]), *(_accuracy(row[side]) for side in ("first", "second"))]
        cells += [Cell(points(row["effect"]).removesuffix("\u00a0pp"), row["effect"]), Cell(interval, row["low"])]
        same = "identical" if 0 < row["pairs"] == row["identical"] else ""
        cells += [
            Cell(verdict, float(order.index(verdict)), note=same, style=style),
            Cell(p_value(row["p_holm"]), row["p_holm"]),
        ]
        rows.append([*cells, *(Cell(str(row[name]), float(row[name])) for name in ("pairs", "identical"))])
    left = len(shared) - len(rows)
    note = f"{left:,} more are in the JSON file beside this page." if left else ""
    return Grid(f"From {found.studies[0].name} to {other}", columns, rows, note, copies=True)


def _accuracy(value: float) -> Cell:
    return Cell(percent(value, 2), value)


def _spread(found: Across) -> Grid:
    spaces = bool(found.spread["space"].astype(bool).any())
    columns = (
        Column("Study", numeric=False),
        *((Column("Space", numeric=False),) if spaces else ()),
        *(Column(name) for name in ("Arms", "Best", "Upper quartile", "Median", "Lower quartile")),
    )
    rows = [
        [
            Cell(row["study"]),
            *([Cell(row["space"])] if spaces else []),
            Cell(f"{row['arms']:,}", float(row["arms"])),
            *(_accuracy(row[name]) for name in ("best", "high", "median", "low")),
        ]
        for row in found.spread.to_dict("records")
    ]
    return Grid("Mean validation accuracy of all arms", columns, rows)


def _circumstances(found: Across) -> Grid:
    names = [study.name for study in found.studies]
    columns = tuple(Column(name, numeric=False) for name in ("Field", *names))
    rows = [
        [Cell(str(row[name]) or ABSENT) for name in ("field", *names)] for row in found.circumstances.to_dict("records")
    ]
    left = len(rows) - MOST_ROWS
    note = f"{left:,} more are in the JSON file beside this page." if left > 0 else ""
    return Grid("What differs between the studies", columns, rows[:MOST_ROWS], note)


def _distributions(found: Across) -> Drawn:
    frame, traces = found.curves, []
    for index, ((study, space), part) in enumerate(frame.groupby(["study", "space"], sort=False)):
        name = ink.plain(f"{study}, {space}" if space else study)
        traces += _curve(part, name, ink.SERIES[index % len(ink.SERIES)], ink.DASHES[index % len(ink.DASHES)])
    vertical = {"range": [0, 1.01], "tickformat": ".0%", "title": {"text": "share of arms"}}
    horizontal = {"tickformat": ".1~%", "title": {"text": "validation error"}}
    said = (
        "The share of arms whose mean validation error is at most so large: a curve further to the left is a better "
        "group of arms. Bands hold the whole curve with 95% confidence, were the arms drawn at random."
    )
    headings = {"study": "Study", "space": "Space", "error": "Error", "share": "Share", "low": "Low", "high": "High"}
    figure = ink.figure(traces, height=420, x=horizontal, y=vertical)
    return drawing("distributions", "distributions", "Distributions of error", said, frame, headings, figure)


def _curve(part: pd.DataFrame, name: str, colour: str, dash: str) -> list[ink.Trace]:
    """Returns a stepped band, as its lower and its upper edge, and the curve in it."""
    step: ink.Trace = {"type": "scatter", "mode": "lines", "x": part["error"].tolist()}
    edge = {"line": {"shape": "hv", "width": 0, "color": colour}, "hoverinfo": "skip", "showlegend": False}
    filled = {"fill": "tonexty", "fillcolor": ink.shade(colour, ink.BAND)}
    said = f"<b>{name}</b><br>%{{y:.0%}} err at most %{{x:.1%}}<extra></extra>"
    line = {"shape": "hv", "color": colour, "width": 1.8, "dash": dash}
    return [
        {**step, **edge, "y": part["low"].tolist()},
        {**step, **edge, **filled, "y": part["high"].tolist()},
        {**step, "y": part["share"].tolist(), "line": line, "name": name, "hovertemplate": said},
    ]
