"""Arms with their seeds folded in, and the Pareto front."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.arms import fold, front
from reports.table import Table


def test_means_are_those_of_the_results_file(table: Callable[[str], Table], written: Callable[[str], Path]) -> None:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    with (written("broken") / "results.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["status"] == "completed":
                values[row["arm"], row["phase"], "val"].append(float(row["val_accuracy"]))
    for arm, row in fold(table("broken")).iterrows():
        own = values[str(arm), "explore", "val"]
        half = stats.t.ppf(0.975, len(own) - 1) * statistics.stdev(own) / len(own) ** 0.5
        assert (row["n"], row["planned"]) == (len(own), 5)
        assert row["mean"] == pytest.approx(statistics.fmean(own))
        assert row["high"] - row["mean"] == pytest.approx(half)


def test_confirm_and_test_means_are_those_of_the_results_file(
    table: Callable[[str], Table], written: Callable[[str], Path]
) -> None:
    raw = pd.read_csv(written("ablation") / "results.csv")
    expected = raw[raw["phase"] == "confirm"].groupby("arm")[["val_accuracy", "test_accuracy"]].mean()
    arms = fold(table("ablation")).loc[expected.index]
    assert arms["confirm_mean"].tolist() == pytest.approx(expected["val_accuracy"].tolist())
    assert arms["test_mean"].tolist() == pytest.approx(expected["test_accuracy"].tolist())
    assert (arms["confirm_n"] == 3).all()


def test_rejected_and_duplicate_arms_are_no_rows(table: Callable[[str], Table]) -> None:
    assert len(fold(table("broken"))) == 9


points = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6) | st.none()), max_size=12)


@settings(deadline=None, max_examples=40)
@given(points)
def test_nothing_beats_what_is_on_the_front(drawn: list[tuple[int, int | None]]) -> None:
    frame = pd.DataFrame(drawn, columns=["cost", "score"], dtype=float)
    flags = front(frame["cost"], frame["score"])
    known = [(cost, score) for cost, score in drawn if score is not None]
    for (cost, score), flag in zip(drawn, flags, strict=True):
        beaten = score is None or any(
            (c <= cost and s > score) or (c < cost and s >= score) for c, s in known if s is not None
        )
        assert flag != beaten
    assert {(c, s) for (c, s), flag in zip(drawn, flags, strict=True) if flag} == {
        (c, s) for c, s in known if not any((a <= c and b > s) or (a < c and b >= s) for a, b in known)
    }
