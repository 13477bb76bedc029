"""Builds the page of a run directory: ``report.html``, and ``report.json`` with every number on it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import ink, sections
from reports.abreast import abreast
from reports.answer import Answer, answer, question
from reports.details import details
from reports.drawing import Drawn, draw, inert
from reports.exchange import copies
from reports.findings import Findings, find
from reports.numbers import unbroken
from reports.record import Encoded, as_text, encoded, record
from reports.sections import Section
from reports.table import Table, read

HERE = Path(__file__).parent
SCRIPTS = ("plotly-cartesian.min.js", "figures.js", "tables.js", "details.js")
WHOLE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\[[+−]?[\d.]+, [+−]?[\d.]+\]|\b\d+–\d+%?")
"""Dates, intervals and ranges: nobody reads half of one at the end of a line."""


def build(run_dir: str | Path, processes: int = 1) -> Path:
    """Writes report.html and report.json into a run directory and returns the page's path.

    The same files give the same bytes. Each is written beside its name and renamed, so that a reader never sees half;
    a run directory may be in use.

    Args:
        processes: How many work on it; more than one only from a process that has no threads.

    Raises:
        reports.RunError: If the folder is not a run directory that this version can read.
        OSError: If the files cannot be written.
    """
    findings = find(read(run_dir))
    said, drawn = answer(findings), draw(findings.table, processes)
    built = _sections(findings, drawn)
    known = encoded(details(findings.table, _named(built)))
    folder = Path(run_dir)
    frames = {figure.name: figure.frame for figure in drawn}
    _, page = abreast(
        [
            lambda: replace(folder / "report.json", as_text(record(findings, said, frames, known))),
            lambda: replace(folder / "report.html", _render(findings.table, said, built, known)),
        ],
        processes,
    )
    return page


def _render(table: Table, said: Answer, built: list[tuple[str, Section, list[Drawn]]], known: Encoded) -> str:
    return fill(
        "page.html",
        table=table,
        name=table.study.get("name", table.folder.name),
        question=question(table),
        answer=said,
        sections=built,
        arms=inert(known),
    )


def _named(built: list[tuple[str, Section, list[Drawn]]]) -> set[str]:
    """Returns the arms that the page names anywhere."""
    grids = [grid.arms for _, section, _ in built for grid in section.grids]
    return set[str]().union(*grids, *(figure.arms for _, _, figures in built for figure in figures))


def fill(template: str, **content: object) -> str:
    """Returns a template of this package filled in, with our style, our scripts, and a policy that allows no others."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled(),
    )
    environment.filters["copies"] = lambda grid: inert(json.dumps(copies(grid)))
    environment.filters["unbroken"] = _unbroken
    scripts = [(HERE / "assets" / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return environment.get_template(template).render(
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],
        style=Markup((HERE / "assets" / "page.css").read_text(encoding="utf-8")),
        look=inert(json.dumps(ink.look())),
        **content,
    )


def _unbroken(text: str) -> Markup:
    """Returns a text for the page in which no line breaks at an arrow or within a date, an interval or a range."""
    return Markup(WHOLE.sub(r'<span class="whole">\g<0></span>', str(escape(unbroken(text)))))


def _compiled() -> BytecodeCache | None:
    """Keeps compiled templates as Python keeps compiled modules; where nothing can be written they are made anew."""
    folder = HERE / "templates" / "__pycache__"
    if sys.dont_write_bytecode:
        return None
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


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
        if own or section.banners or section.lead or section.grids or section.facts:
            shown.append((anchor, section, own))
    return shown


def _policy(scripts: list[str]) -> str:
    """Returns a content security policy under which only these scripts run and nothing is fetched."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def replace(path: Path, text: str) -> Path:
    """Writes a text file beside its name and renames it; returns its path."""
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
