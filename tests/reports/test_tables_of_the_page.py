"""The tables as they are read: every cell is a right rounding of its number, and its number is one of report.json.

The numbers of report.json are recomputed in test_numbers_of_the_page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.conftest import EVERY
from tests.reports.evidence import Run
from tests.reports.reading import NUMBER, Reader, rounds
from tests.reports.sentences.small import ends_of

PERCENT_HEADINGS = ("Effect, pp", "SD, pp")  # the unit is the heading's
WORDS = ("no verdict", "detected", "equivalent", "suggestive", "not detected")  # sorted by rank


@pytest.mark.parametrize("name", EVERY)
def test_every_cell_is_a_number_of_the_record_rounded(name: str, page: Callable[[str], Path]) -> None:
    path = page(name)
    run = Run.of(path)
    known: dict[str, set[float]] = {}
    for value, beside in numbers(run.record):
        for number in (value, -value):
            known.setdefault(f"{number:.9g}", set()).update(beside)
    cells = [said for said in Reader(path.read_text(encoding="utf-8")).found if said.tag in ("td", "th") and said.key]
    assert len(cells) > 10
    for said in cells:
        shown = re.findall(NUMBER, said.text)
        if not said.numeric or not re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", said.key or ""):
            continue
        key = float(said.key or "nan")
        assert f"{key:.9g}" in known, said
        if said.text.startswith("["):
            low, high = ends_of(run, said.key)
            assert any(rounds(shown[0], end, "%") for end in low), said
            assert any(rounds(shown[1], end, "%") for end in high), said
            continue
        unit = "%" if said.heading in PERCENT_HEADINGS else ""
        for place, text in enumerate(shown):  # 3 of 5: what stands beside it is of the same row of the record
            values = [key] if place == 0 else known[f"{key:.9g}"]
            assert any(rounds(text, value, unit) for value in values), (said, text)


def numbers(value: Any) -> Iterator[tuple[float, list[float]]]:
    """Yields every number of plain data, each with the numbers that stand beside it."""
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
        own = [inner for inner in value if isinstance(inner, int | float)]
        yield from ((float(number), []) for number in own)
    elif isinstance(value, dict):
        own = [
            float(inner) for inner in value.values() if isinstance(inner, int | float) and not isinstance(inner, bool)
        ]
        yield from ((number, own) for number in own)
        for inner in value.values():
            yield from numbers(inner)
