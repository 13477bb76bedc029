"""The books add up, or say that they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.table import Table, read
from reports.trust import count_up
from tests.reports import runs
from tests.reports.conftest import SKETCHES


@pytest.mark.parametrize("name", sorted(SKETCHES))
def test_the_sums_hold(name: str, table: Callable[[str], Table]) -> None:
    counts = count_up(table(name))
    assert counts.adds_up
    assert counts.planned == int(counts.trials.to_numpy().sum()) + counts.not_run
    assert counts.listed == sum(counts.arms.values())


def test_every_mishap_has_its_reason(table: Callable[[str], Table]) -> None:
    reasons = count_up(table("broken")).reasons
    assert set(reasons["what"]) == {"rejected", "duplicate", "unmatched", "diverged", "failed", "stopped"}
    diverged = reasons[reasons["what"] == "diverged"].iloc[0]
    assert (diverged["subject"], diverged["count"]) == ("expansion=1", 2)
    assert diverged["reason"] == "the training loss was nan in epoch 2"


def test_planned_stops_are_summed_by_rung(tmp_path: Path) -> None:
    sketch = runs.raced_search()
    sketch.design["rungs"] = [1, 3]
    stopped = [row for row in sketch.trials if row["status"] == "stopped"]
    stopped[0]["reason"] = "after epoch 1: the best 1/3 of 2 arms that had come so far is none yet"
    stopped[1]["reason"] = "the study's time was up before it could go on"
    reasons = count_up(read(sketch.write(tmp_path))).reasons
    found = reasons[reasons["what"] == "stopped"].set_index("reason")["count"].to_dict()
    assert found == {
        "after epoch 1, as planned": 1,
        "after epoch 3, as planned": 4,
        "the study's time was up before it could go on": 1,
    }


def test_an_unfinished_run_says_what_is_left(table: Callable[[str], Table]) -> None:
    counts = count_up(table("unfinished"))
    assert (counts.planned, counts.of("completed"), counts.of("running"), counts.not_run) == (40, 12, 1, 27)


@pytest.mark.parametrize("spoil", ["more than planned", "a trial twice", "an unknown status"])
def test_books_that_do_not_add_up_are_noticed(spoil: str, tmp_path: Path) -> None:
    sketch = runs.run_all(runs.ablation(name="spoilt"))
    if spoil == "more than planned":
        sketch.planned = 39
    elif spoil == "a trial twice":
        sketch.trials[1]["trial"] = sketch.trials[0]["trial"]
    else:
        sketch.trials[0]["status"] = "lost"
    assert not count_up(read(sketch.write(tmp_path))).adds_up
