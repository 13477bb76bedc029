"""The tables as they are read: every cell is a right rounding of its number, and its number is one of report.json.

The numbers of report.json are recomputed in test_numbers_of_the_page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "%": 0.01, "pp": 0.01, "s": 1, "min": 60, "h": 3600}
NUMBER = re.compile(r"([-+−±<×]?)(\d[\d,]*(?:\.\d+)?|\.\d+)\s?(pp|min|[kMG%sh](?![a-z])|)")
PERCENT_HEADINGS = ("Effect,\u00a0pp", "SD,\u00a0pp")  # the unit is the heading's


class Cells(HTMLParser):
    """Collects the numeric cells of a page: the table's caption, the column's heading, the sort key, the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str, str]] = []
        self._caption, self._headings, self._row = "", [""], 0
        self._key: str | None = None
        self._numeric = False
        self._text, self._small, self._where = "", False, ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._headings = []
        elif tag == "tr":
            self._row = -1
        elif tag == "caption" or (tag == "th" and "data-key" not in given):
            self._where, self._text = tag, ""
        elif tag in ("td", "th"):
            self._row += 1
            self._key, self._text, self._small = given["data-key"] or "", "", False
            self._numeric = given["class"] == "number"
        elif tag == "small":
            self._small = True

    def handle_data(self, data: str) -> None:
        self._text += "" if self._small else data

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self._caption = self._text
        elif tag == "th" and self._key is None:
            self._headings.append(self._text)
        elif tag in ("td", "th") and self._key is not None:
            if self._key and self._numeric:
                self.found.append((self._caption, self._headings[self._row], self._key, self._text))
            self._key = None


def numbers(value: Any) -> Iterator[float]:
    """Yields every number of plain data."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def rounds(text: str, heading: str, number: float) -> bool:
    """Whether a text is a number, rounded to the digits that it has."""
    found = NUMBER.search(text)
    assert found is not None, text
    sign, digits, unit = found.groups()
    scale = UNITS["%" if heading in PERCENT_HEADINGS and not unit else unit]
    if sign == "<":
        return number < float(digits)
    if sign == "×":  # a change of so many times
        return math.isclose(float(digits), 1 + number, rel_tol=0.006)
    own = float(digits.replace(",", "")) * scale * (-1 if sign in ("−", "-") else 1)
    half = 0.5 * scale * 10.0 ** -len(digits.partition(".")[2])
    return abs(own - number) <= half * 1.001 or (sign == "±" and abs(abs(own) - abs(number)) <= half * 1.001)


@pytest.mark.parametrize("name", ["ablation", "factorial", "search", "population", "tuned"])
def test_every_cell_is_a_number_of_the_record_rounded(name: str, page: Callable[[str], Path]) -> None:
    path = page(name)
    known = {f"{value:.9g}" for value in numbers(json.loads(path.with_suffix(".json").read_bytes()))}
    known |= {f"{-float(value):.9g}" for value in known}
    cells = Cells(path.read_text(encoding="utf-8")).found
    assert len(cells) > 100
    for caption, heading, key, text in cells:
        if not re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", key):  # told in words: 5 of 6
            continue
        assert f"{float(key):.9g}" in known, (caption, heading, key, text)
        if text not in ("–", "") and not text.startswith("["):
            assert rounds(text, heading, float(key)), (caption, heading, key, text)
