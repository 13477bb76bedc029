"""A page as a reader has it: its visible texts, each with its place, and its numbers with their roundings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "%": 0.01, "pp": 0.01, "s": 1, "min": 60, "h": 3600}
UNIT = r"(?:pp|min|[kMG%sh])(?![A-Za-z])"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
NUMBER = rf"[+−±×<]?(?:{DIGITS})(?:\s?{UNIT})?"
PARTS = re.compile(rf"([+−±×<]?)({DIGITS})\s?({UNIT}|)")
TEXTS = {"title", "p", "li", "dt", "dd", "h1", "h2", "figcaption", "summary", "caption", "th", "td", "small", "legend"}
UNSEEN = {"script", "style", "svg", "noscript", "option"}
VOID = {"meta", "link", "input", "br", "img", "hr", "line"}


@dataclass(frozen=True)
class Said:
    """A text of the page and where it stands.

    Attributes:
        section: The id of its section; empty outside of all.
        tag: The element that it is the text of; "hint" for what is told when the pointer rests.
        text: The words.
        subject: Of a definition, its term; of a cell, the text of its row's heading.
        caption: Of a table's parts, the table's caption.
        heading: Of a cell, that of its column.
        key: Of a cell, what it is sorted by; None elsewhere.
        numeric: Of a cell, whether it is set as a number.
    """

    section: str
    tag: str
    text: str
    subject: str = ""
    caption: str = ""
    heading: str = ""
    key: str | None = None
    numeric: bool = False


class Reader(HTMLParser):
    """Collects the texts of a page in ``found``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Said] = []
        self._open: list[tuple[str, list[str]]] = []  # elements, each with its own text so far
        self._here = Said("", "", "")
        self._headings: list[str] = []
        self._column = -1
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "section":
            self._here = Said(given["id"], "", "")
        elif tag == "table":
            self._headings = []
        elif tag == "tr":
            self._column = -1
            self._here = replace(self._here, subject="", key=None)
        elif tag in ("td", "th") and "data-key" in given:
            self._column += 1
            heading, number = self._headings[self._column], given["class"] == "number"
            self._here = replace(self._here, key=given["data-key"], heading=heading, numeric=number)
        if "title" in given:
            self.found.append(replace(self._here, tag="hint", text=given["title"]))
        if tag not in VOID:
            self._open.append((tag, []))

    def handle_data(self, data: str) -> None:
        if any(tag in UNSEEN for tag, _ in self._open):
            return
        owner = next((text for tag, text in reversed(self._open) if tag in TEXTS), None)
        if owner is not None:
            owner.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        name, parts = self._open.pop()
        assert name == tag, (name, tag)
        text = re.sub(r"\s+", " ", "".join(parts)).strip()
        if tag == "caption":
            self._here = replace(self._here, caption=text, key=None)
        elif tag == "th" and self._here.key is None:
            self._headings.append(text)
        if text:
            self.found.append(replace(self._here, tag=tag, text=text))
        if tag in ("dt", "th"):
            self._here = replace(self._here, subject=text)
        elif tag in ("table", "dl"):
            self._here = Said(self._here.section, "", "")


def rounds(text: str, number: float, unit: str = "") -> bool:
    """Whether a text is a number, rounded to the digits that it has; ``unit`` is that of a text without one."""
    found = PARTS.fullmatch(text)
    assert found is not None, text
    sign, digits, own_unit = found.groups()
    scale = UNITS[own_unit or unit]
    if sign == "<":
        return number < float(digits)
    if sign == "×":  # a change of so many times
        return math.isclose(float(digits), 1 + number, rel_tol=0.006)
    own = amount(text, unit)
    half = 0.5 * scale * 10.0 ** -len(digits.partition(".")[2]) * 1.001
    return abs(own - number) <= half or (sign == "±" and abs(own - abs(number)) <= half)


def amount(text: str, unit: str = "") -> float:
    """Returns the number that a text is, without what its sign may say beside plus and minus."""
    found = PARTS.fullmatch(text)
    assert found is not None, text
    sign, digits, own_unit = found.groups()
    return float(digits.replace(",", "")) * UNITS[own_unit or unit] * (-1 if sign == "−" else 1)
