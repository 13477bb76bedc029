"""Text in columns, for a terminal of 80."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 80
GAP = "  "
NONE = "-"
SHORTEST = 8
"""Text isn't shortened below this."""


def aligned(rows: Sequence[Sequence[str]], left: int, shrink: Sequence[int] = ()) -> str:
    """Returns rows as columns under a rule, the first row their heads.

    Args:
        rows: Of equal lengths.
        left: So many columns are flush left, the others flush right.
        shrink: The columns whose text may be shortened, the widest first, where the table is too wide otherwise.
    """
    widths = widths_of(rows)
    while total_width(widths) > WIDTH and shrink:
        widest = max(shrink, key=lambda column: widths[column])
        if widths[widest] <= SHORTEST:
            break
        widths[widest] -= 1
    lines = [
        _line([shortened(cell, width) for cell, width in zip(row, widths, strict=True)], widths, left) for row in rows
    ]
    return "\n".join([lines[0], GAP.join("-" * width for width in widths), *lines[1:]])


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Returns the width that each column needs."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def total_width(widths: Sequence[int]) -> int:
    """Returns the characters that columns of these widths take, with the gaps between them."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def shortened(text: str, width: int) -> str:
    """Returns a text of at most so many characters, its middle left out if need be."""
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"


class Unit(NamedTuple):
    """What the numbers of a column, or of a line, are written in.

    Attributes:
        sign: Put before the noun, or behind the number; empty for ones.
        size: So many ones.
        decimals: Behind the point.
    """

    sign: str
    size: int
    decimals: int

    def write(self, number: int) -> str:
        """Writes a number without the unit."""
        return f"{number / self.size:,.{self.decimals}f}"

    def head(self, noun: str) -> str:
        """Writes the head of a column."""
        return f"{self.sign} {noun}".lstrip()


ONES = Unit("", 1, 0)


def counted(largest: int, decimals: int = 2) -> Unit:
    """Returns the unit for numbers up to the largest: millions, or ones where that would leave nothing but zeros."""
    return Unit("M", 10**6, decimals) if largest >= 10**6 else ONES


def sized(least: int) -> Unit:
    """Returns the unit for bytes: MB, or kB where the least of them is less than a tenth of a MB."""
    return Unit("MB", 10**6, 1) if least >= 10**5 else Unit("kB", 10**3, 1)


def filled(sentence: str) -> str:
    """Returns a sentence as lines, no word of it broken."""
    return textwrap.fill(sentence, WIDTH, break_long_words=False, break_on_hyphens=False)


def share(part: int, whole: int) -> str:
    """Writes a part as per cent of the whole, or `NONE` if there is nothing to share."""
    return f"{part / whole:.1%}" if whole else NONE


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    flush = (
        cell.ljust(width) if index < left else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return GAP.join(flush).rstrip()
