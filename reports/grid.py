"""Tables for people: cells with the text that is read and the value that is sorted by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column; numeric ones are set flush right."""

    heading: str
    numeric: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Glyph:
    """An effect with its interval as a small drawing: positions in percent of its width, and a style for the mark."""

    zero: float
    effect: float
    low: float
    high: float
    style: str


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the value it sorts by (its text by default), a remark in small type, a style, a drawing.

    ``arm`` is the id of an arm that the cell names: its text becomes a button, and its row a target, for all about it.
    """

    text: str
    sort: float | str | None = None
    note: str = ""
    style: str = ""
    glyph: Glyph | None = None
    arm: str = ""

    @property
    def key(self) -> str:
        """The value to sort by, as the page's script reads it; empty for cells without one."""
        if self.sort is None:
            return self.text
        if isinstance(self.sort, str):
            return self.sort
        whole = abs(self.sort) >= 1e9  # counts, shown to the last digit
        return "" if self.sort != self.sort else f"{self.sort:.0f}" if whole else f"{self.sort:.9g}"


@dataclass(frozen=True)
class Grid:
    """A table with its caption; the first cell of a row is its heading. ``note`` stands under it.

    ``copies`` gives the table buttons that copy it as LaTeX, Markdown and CSV.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    note: str = ""
    copies: bool = False

    @staticmethod
    def arm_of(row: list[Cell]) -> str:
        """The arm that a row tells of: the first that it names, or none."""
        return next((cell.arm for cell in row if cell.arm), "")

    @property
    def arms(self) -> set[str]:
        """The arms that the table names."""
        return {cell.arm for row in self.rows for cell in row if cell.arm}
