"""What a user sees while trials run, in a terminal and elsewhere."""

from __future__ import annotations

import re

import pytest

from search.progress import Talk

ENTRY = {"trial": "c2f5e525a32d-s0", "arm": "c2f5e525a32d", "status": "completed", "reason": "", "val_accuracy": 0.5}


def shown(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Returns the lines that a phase of a thousand trials leaves in a terminal, its live lines too."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    talk = Talk()
    talk.phase("explore", 1000, 0)
    for _ in range(6):
        talk.started()
        talk.finished("expansion=6 at equal MACs", ENTRY, 1000, "97.3% expansion=6 at equal MACs")
    talk.started()
    talk.end_phase()
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    return [line for line in re.split(r"[\r\n]+", said) if line.strip()]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_how_many_are_done_is_seen_however_narrow_the_terminal_is(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *live, last = shown(columns, monkeypatch, capsys)
    assert all(len(line) <= columns for line in live)
    assert "explore" in live[-1]
    assert " 6/1000 " in live[-1]
    assert "1 running · about " in live[-1]
    assert last.startswith("explore: 6 of 1000 trials finished, ")


def test_what_is_no_terminal_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk()
    talk.phase("explore", 2, 1)
    talk.started()
    talk.finished("baseline", {**ENTRY, "status": "failed", "reason": "no luck", "alone": "python x"}, 2, "")
    talk.end_phase()
    assert re.sub(r"[0-9.]+ s", "T", capsys.readouterr().err).splitlines() == [
        "explore: 2 trials, 1 of them finished before",
        "warning: c2f5e525a32d-s0 (baseline) failed: no luck; alone: python x",
        "explore: 2 of 2 trials finished, T; 1 failed",
    ]
