"""Builds the page of a run directory: ``report.html``, and ``report.json`` with every number on it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import figures, ink, sections
from reports.answer import answer, question
from reports.findings import Findings, find
from reports.grid import Cell, Column, Grid
from reports.numbers import ABSENT
from reports.record import as_text, record
from reports.sections import Section
from reports.table import read

HERE = Path(__file__).parent
SCRIPTS = ("plotly-cartesian.min.js", "page.js")
MOST_ROWS = 200


def build(run_dir: str | Path) -> Path:
    """Writes report.html and report.json into a run directory and returns the page's path.

    The same files give the same bytes. Each is written beside its name and renamed, so that a reader never sees half.

    Raises:
        reports.RunError: If the folder is not a run directory that this version can read.
        OSError: If the files cannot be written.
    """
    findings = find(read(run_dir))
    drawn = _draw(findings)
    folder = Path(run_dir)
    _replace(folder / "report.json", as_text(record(findings, {figure.name: figure.frame for figure in drawn})))
    return _replace(folder / "report.html", render(findings, drawn))


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its data as drawn and as a table, and what plotly.js needs, a JSON text a panel.

    ``variants`` names the panels where they are variants of each other, one to be shown at a time; else it is empty.
    """

    name: str
    section: str
    title: str
    caption: str
    frame: pd.DataFrame
    grid: Grid
    panels: tuple[Markup, ...]
    heights: tuple[int, ...]
    variants: tuple[str, ...]


def render(findings: Findings, drawn: list[Drawn]) -> str:
    """Returns the page as text."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [(HERE / "assets" / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return environment.get_template("page.html").render(
        table=findings.table,
        name=findings.table.study.get("name", findings.table.folder.name),
        question=question(findings.table),
        answer=answer(findings),
        sections=_sections(findings, drawn),
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],
        style=Markup((HERE / "assets" / "page.css").read_text(encoding="utf-8")),
        dark_key=_inert(json.dumps(ink.dark_key())),
    )


def _draw(findings: Findings) -> list[Drawn]:
    drawn = []
    for module in figures.discover():
        frame = module.data(findings.table)
        if frame.empty:
            continue
        named = figures.panels(module.draw(frame))
        drawn.append(
            Drawn(
                name=module.__name__.rpartition(".")[2],
                section=module.SECTION,
                title=module.TITLE,
                caption=module.caption(frame),
                frame=frame,
                grid=_data_grid(module.TITLE, frame, dict(module.COLUMNS)),
                panels=tuple(_inert(panel.to_json()) for _, panel in named),
                heights=tuple(int(panel.layout.height) for _, panel in named),
                variants=tuple(name for name, _ in named if name),
            )
        )
    return drawn


def _sections(findings: Findings, drawn: list[Drawn]) -> list[tuple[str, Section, list[Drawn]]]:
    """Returns the sections that have anything to show, with their figures; one of no known section gets its own."""
    modules = sections.discover()
    built = [(module.ID, module.build(findings), module.ORDER) for module in modules]
    known = {module.ID for module in modules}
    for figure in drawn:
        if figure.section not in known:
            known.add(figure.section)
            built.append((figure.section, Section(figure.title), 80))
    shown = []
    for anchor, section, _ in sorted(built, key=lambda entry: entry[2]):
        own = [figure for figure in drawn if figure.section == anchor]
        if own or section.lead or section.grids or section.facts:
            shown.append((anchor, section, own))
    return shown


def _data_grid(title: str, frame: pd.DataFrame, headings: dict[str, str]) -> Grid:
    top = frame.head(MOST_ROWS)
    columns = tuple(Column(heading, numeric=frame[name].dtype.kind in "iuf") for name, heading in headings.items())
    rows = [[_datum(value) for value in row] for row in top[list(headings)].itertuples(index=False, name=None)]
    note = f"The first {len(top)} of {len(frame):,} rows; all are in report.json." if len(frame) > len(top) else ""
    return Grid(f"{title}: the data", columns, rows, note)


def _datum(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        if value != value:
            return Cell(ABSENT, float("nan"))
        return Cell(f"{value:,.0f}" if value == int(value) else f"{value:.4f}", float(value))
    return Cell(str(value))


def _policy(scripts: list[str]) -> str:
    """Returns a content security policy under which only these scripts run and nothing is fetched."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _inert(text: str) -> Markup:
    """Returns JSON in which nothing can end its script element."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _replace(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(text.encode("utf-8", "replace"))
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
