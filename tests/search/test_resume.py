"""What may change between two sessions: additions are welcome, changes are named field by field."""

from __future__ import annotations

from typing import Any

import pytest

from search.additions import added, additions
from search.resume import StudyChanged, check_resumable
from tests.search.studies import study

LINES = [
    "factors:",
    '  expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}',
    '  block: {levels: {basic: {"network.stages[*].block": basic}}}',
    "design: {kind: one_at_a_time, seeds: 2}",
]


def plain(*lines: str) -> dict[str, Any]:
    return study(*(lines or LINES)).spec.plain()


def changed(old: str, new: str) -> dict[str, Any]:
    text = "\n".join(LINES)
    assert old in text
    return plain(*text.replace(old, new).split("\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds: 2", "seeds: 4"),
        ("seeds: 2", "seeds: [0, 1, 7]"),
        ("levels: [1, 2]", "levels: [1, 2, 6]"),
        ("basic}}}", 'basic}, se: {"network.stages[*].block.attention": se}}}'),
        ("design:", '  lr: {path: "train.optimizer.lr", levels: [0.2]}\ndesign:'),
        ("design:", "confirm: {finalists: 4, seeds: 9}\ndesign:"),
        ("design:", "ray: {workers: 7}\ndesign:"),
        ("design:", "question: worded otherwise\ndesign:"),
    ],
)
def test_additions_resume(old: str, new: str) -> None:
    check_resumable(plain(), changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("seeds: 2", "seeds: 1", "design.seeds: was 2, is now 1"),
        ("levels: [1, 2]", "levels: [1, 3]", r"factors.expansion.levels\[1\]: was 2, is now 3"),
        ("levels: [1, 2]", "levels: [1]", r"factors.expansion.levels\[1\]: was 2, is now not there"),
        ("kind: one_at_a_time", "kind: factorial", "design.kind: was one_at_a_time, is now factorial"),
        ("design:", "train: {epochs: 2}\ndesign:", "train.epochs: was 1, is now 2"),
        ("design:", "margin: 0.01\ndesign:", "margin: was not there, is now 0.01"),
        ("design:", "confirm: {epochs: 9}\ndesign:", "confirm.epochs: was not there, is now 9"),
        ("design:", "constraints: {macs: {max: 1e9}}\ndesign:", "constraints.macs: was not there"),
    ],
)
def test_changes_are_named_field_by_field(old: str, new: str, line: str) -> None:
    now = study(*LINES, base=_with_epochs(2)).spec.plain() if "train:" in new else changed(old, new)
    with pytest.raises(StudyChanged, match=line):
        check_resumable(plain(), now)


def _with_epochs(epochs: int) -> str:
    from tests.search.studies import BASE

    return BASE.replace("epochs: 1", f"epochs: {epochs}")


def test_comments_and_the_order_of_keys_make_no_difference() -> None:
    from tests.search.studies import BASE

    lines = BASE.splitlines()
    shuffled = "# a comment\n" + "\n".join([lines[-1], *lines[:-1]]) + "\n"
    check_resumable(plain(), study(*LINES, base=shuffled).spec.plain())


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("seeds: 2", "seeds: 3", ["seed 2"]),
        ("seeds: 2", "seeds: [0, 1, 7]", ["seed 7"]),
        ("seeds: 2", "seeds: 5", ["seeds 2, 3, 4", "confirm seeds: 5 in place of 3"]),
        ("levels: [1, 2]", "levels: [1, 3, 2, 6]", ["levels 3, 6 of expansion"]),
        ("basic}}}", 'basic}, se: {"network.stages[*].block.attention": se}}}', ["level se of block"]),
        ("design:", '  lr: {path: "train.optimizer.lr", levels: [0.2]}\ndesign:', ["factor lr"]),
        (
            "design:",
            "confirm: {finalists: 4, seeds: 9}\ndesign:",
            ["finalists: 4 in place of 3", "confirm seeds: 9 in place of 3"],
        ),
        ("design:", "ray: {workers: 7}\ndesign:", []),
    ],
)
def test_what_was_added_is_said_in_words(old: str, new: str, what: list[str]) -> None:
    now = changed(old, new)
    check_resumable(plain(), now)
    assert added(plain(), now) == what


def test_what_was_added_before_anything_was_seen_is_no_addition() -> None:
    first = {"event": "session", "time": "2026-01-01T00:00:00Z", "study": plain()}
    second = {"event": "session", "time": "2026-01-02T00:00:00Z", "study": changed("seeds: 2", "seeds: 3")}
    assert additions([first, second]) == []
    seen = additions([first, {"event": "finished"}, second])
    assert seen == [{"time": "2026-01-02T00:00:00Z", "what": "seed 2"}]
