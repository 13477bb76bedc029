"""Every number in a sentence of the page, wherever it stands, is the value that its words say it is, rounded.

The page is read as HTML; ``sentences`` knows where the number in each turn of phrase is from: from report.json, whose
numbers are recomputed in test_numbers_of_the_page, or from the files of the run. What no phrase explains fails.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.conftest import EVERY
from tests.reports.evidence import Run
from tests.reports.reading import Reader, Said
from tests.reports.sentences import unexplained

CELLS = ("td", "th")  # test_tables_of_the_page


@pytest.mark.parametrize("name", EVERY)
def test_every_number_of_a_sentence_is_explained(name: str, page: Callable[[str], Path]) -> None:
    path = page(name)
    run = Run.of(path)
    said = [each for each in Reader(path.read_text(encoding="utf-8")).found if each.tag not in CELLS]
    assert {"answer", "trust"} <= {each.section for each in said}
    assert [line for each in said for line in unexplained(run, each)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("+0.59 pp [−0.10, 1.28] at +48% MACs, 5 paired seeds: not detected (1.60 pp could have been).", 0),
        ("+0.58 pp [−0.10, 1.28] at +48% MACs, 5 paired seeds: not detected (1.60 pp could have been).", 1),
        ("−0.59 pp [−0.10, 1.28] at +47% MACs, 4 paired seeds: not detected (1.60 pp could have been).", 3),
        ("+0.59 pp [−0.10, 1.28] at +48% MACs, 5 paired seeds, 3 of them lucky.", 1),
    ],
)
def test_a_wrong_number_and_one_without_a_source_are_told(text: str, wrong: int, page: Callable[[str], Path]) -> None:
    said = Said("answer", "p", text, subject="expansion 4 → 6")
    assert len(unexplained(Run.of(page("ablation")), said)) == wrong
