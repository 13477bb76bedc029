"""Tables as text for elsewhere: LaTeX, Markdown, CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from reports.grid import Cell, Grid

LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\to$",
    "<": "$<$",
    ">": "$>$",
    "–": "--",
    "\u00a0": "~",
    "\u202f": r"\,",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def copies(grid: Grid) -> dict[str, str]:
    """Returns a table in every form that readers copy, by the form's name."""
    return {"LaTeX": latex(grid), "Markdown": markdown(grid), "CSV": text_csv(grid)}


def latex(grid: Grid) -> str:
    """Returns a table as LaTeX, for the package booktabs."""
    shown = _shown(grid)
    columns = "".join("r" if grid.columns[index].numeric else "l" for index in shown)
    lines = [" & ".join(_latex(grid.columns[index].heading) for index in shown) + r" \\", r"\midrule"]
    lines += [" & ".join(_latex(row[index].text) for index in shown) + r" \\" for row in grid.rows]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def markdown(grid: Grid) -> str:
    """Returns a table as GitHub's Markdown; remarks stand in brackets."""
    shown = _shown(grid)
    rule = ["---:" if grid.columns[index].numeric else "---" for index in shown]
    rows = [[grid.columns[index].heading for index in shown]]
    rows += [[_remarked(row[index]) for index in shown] for row in grid.rows]
    lines = [" | ".join(plain_markdown(text) for text in row) for row in rows]
    return "\n".join(f"| {line} |" for line in [lines[0], " | ".join(rule), *lines[1:]]) + "\n"


def text_csv(grid: Grid) -> str:
    """Returns a table as CSV, as it is read but with plain minus signs and spaces."""
    shown = _shown(grid)
    rows = [[grid.columns[index].heading for index in shown]]
    rows += [[_remarked(row[index]) for index in shown] for row in grid.rows]
    return _csv([_ascii(text) for text in row] for row in rows)


def frame_csv(frame: pd.DataFrame, headings: dict[str, str]) -> str:
    """Returns columns of a frame as CSV, in full precision."""
    columns = [_column(frame[name]) for name in headings]
    return _written([list(map(_inert, headings.values())), *zip(*columns, strict=True)])


def _column(values: pd.Series) -> list[Any]:
    known = ["" if value != value else value for value in values.tolist()]
    return known if values.dtype.kind in "iufb" else list(map(_inert, known))


def plain_markdown(text: str) -> str:
    """Returns any text as Markdown that shows it as it is, on one line."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|~#@])", r"\\\1", flat)


def _shown(grid: Grid) -> list[int]:
    """Returns the columns that are text: those with a heading."""
    return [index for index, column in enumerate(grid.columns) if column.heading]


def _remarked(cell: Cell) -> str:
    if not cell.note:
        return cell.text
    return f"{cell.text} {cell.note}" if cell.note.startswith(("[", "±")) else f"{cell.text} ({cell.note})"


def _latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)


def _ascii(text: str) -> str:
    return text.replace("−", "-").replace("\u00a0", " ").replace("\u202f", " ")


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    return _written([_inert(value) for value in row] for row in rows)


def _written(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _inert(value: Any) -> Any:
    """Returns a cell's value; text that a spreadsheet would run as a formula gets an apostrophe, numbers don't."""
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    return value if re.fullmatch(r"[-+]?[0-9][0-9.,]*( ?pp|%)?", value) else f"'{value}"
