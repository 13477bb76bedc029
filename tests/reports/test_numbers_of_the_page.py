"""Every number of report.json against an independent computation from the files of the run directory.

A number that no computation covers fails the test. What words say of them is held in test_sentences_of_the_page.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reports.conftest import SKETCHES
from tests.reports.evidence import Run
from tests.reports.recomputed import CHECKS

ELSEWHERE = {"environment", "schema", "margin", "selection", "additions", "answer"}  # copied, or in words
ELSEWHERE |= {"panels"}  # checked whole
QUICK = ("ablation", "matched factorial", "empty", "failed", "train", "unfinished")
KINDS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SKETCHES]


@pytest.mark.parametrize("name", KINDS)
def test_every_number_is_recomputed(name: str, page: Callable[[str], Path]) -> None:
    run = Run.of(page(name))
    for check in CHECKS:
        check(run)
    left = sorted({place for place in numeric(run.record) if place not in run.seen and place[0] not in ELSEWHERE})
    assert left == []


def numeric(record: dict[str, Any]) -> set[tuple[str, str]]:
    """Returns every place of the record that holds a number: the part's path, and the field's name."""
    places: set[tuple[str, str]] = set()

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, (*path, name))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            places.add((".".join(path[:-1]), path[-1]) if len(path) > 1 else (path[0], ""))

    for name, part in record.items():
        if name not in ELSEWHERE:
            walk(part, (name,))
    return places
