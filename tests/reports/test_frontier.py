"""What a search has found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from reports.arms import fold
from reports.frontier import bands, least_difference, noise
from reports.table import Table, read
from tests.reports import runs


def test_each_band_names_its_best_arm(table: Callable[[str], Table]) -> None:
    run = table("search")
    arms = fold(run).dropna(subset=["mean"])
    rows = bands(run, arms)
    assert rows["limit"].iloc[-1] == math.inf
    assert rows["limit"].is_monotonic_increasing
    for row in rows.itertuples():
        within = arms[arms["macs"] <= row.limit]
        assert row.mean == within["mean"].max()
        assert row.macs <= row.limit
        assert row.gain == pytest.approx(row.mean - arms.at[run.baseline, "mean"])


def test_limits_that_the_study_names_are_the_bands_where_an_arm_meets_them(table: Callable[[str], Table]) -> None:
    run = table("search")
    arms = fold(run).dropna(subset=["mean"])
    middle, least = float(arms["macs"].median()) + 1, float(arms["macs"].min())
    named = {"best_under": {"cost": "macs", "limits": [middle, least / 2]}}
    rows = bands(dataclasses.replace(run, study={**run.study, "confirm": named}), arms)
    assert list(rows["limit"]) == [middle, math.inf]
    assert rows["mean"].iloc[0] == arms[arms["macs"] <= middle]["mean"].max()


def test_rivals_are_within_the_noise(table: Callable[[str], Table]) -> None:
    run = table("search")
    arms = fold(run).dropna(subset=["mean"])
    last = bands(run, arms).iloc[-1]
    scatter = noise(run, arms)
    gap = stats.t.ppf(0.975, scatter.freedom) * scatter.sd * math.sqrt(2)
    close = arms[(last["mean"] - arms["mean"] < gap) & (arms.index != last["arm"])]
    assert last["rivals"] == len(close)
    assert last["rival"] == close["macs"].idxmin()


def test_noise_is_pooled_over_arms_with_several_seeds(
    table: Callable[[str], Table], written: Callable[[str], Path]
) -> None:
    run = table("search")
    raw = pd.read_csv(written("search") / "results.csv", keep_default_na=False)
    confirm = raw[raw["phase"] == "confirm"].astype({"val_accuracy": float})
    expected = math.sqrt(confirm.groupby("arm")["val_accuracy"].var().mean())
    scatter = noise(run, fold(run))
    assert (scatter.source, scatter.freedom) == ("seeds", 8)
    assert scatter.sd == pytest.approx(expected)


def test_without_repeats_the_split_bounds_the_noise(tmp_path: Path) -> None:
    run = read(runs.searched(arms=5, name="single").write(tmp_path))
    arms = fold(run)
    scatter = noise(run, arms)
    middle = arms["mean"].median()
    assert scatter.source == "images"
    assert scatter.sd == pytest.approx(math.sqrt(middle * (1 - middle) / 360))
    assert least_difference(scatter, 1) == pytest.approx(1.959964 * scatter.sd * math.sqrt(2), rel=1e-4)


def test_nothing_measured_has_no_bands(table: Callable[[str], Table]) -> None:
    run = table("empty")
    assert bands(run, fold(run)).empty
