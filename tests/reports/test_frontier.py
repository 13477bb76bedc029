"""What a search has found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from reports.answer import answer
from reports.answer.searched import band
from reports.arms import fold
from reports.costs import amount, heading, limit
from reports.findings import find
from reports.frontier import bands, least_difference, noise, unmet
from reports.numbers import ABSENT
from reports.sections import cost
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
    asked = dataclasses.replace(run, study={**run.study, "confirm": named})
    rows = bands(asked, arms)
    assert list(rows["limit"]) == [middle, math.inf]
    assert unmet(asked, arms).to_dict("records") == [{"cost": "macs", "limit": least / 2, "least": least}]
    first = answer(find(asked)).statements[0]
    assert (
        str(first)
        == f"Up to {limit(least / 2, 'macs')}: no arm; the smallest that was measured has {amount(least, 'macs')}."
    )
    row = cost.build(find(asked)).grids[0].rows[0]
    assert [cell.text for cell in row] == [limit(least / 2, "macs"), "no arm", *[ABSENT] * 5]
    none = dataclasses.replace(
        run, study={**run.study, "confirm": {"best_under": {**named["best_under"], "limits": [1.0]}}}
    )
    assert list(unmet(none, arms)["limit"]) == [1.0]
    assert len(bands(none, arms)) > 1
    assert unmet(run, arms).empty
    assert rows["mean"].iloc[0] == arms[arms["macs"] <= middle]["mean"].max()


def test_limits_of_another_cost_are_bands_of_it(table: Callable[[str], Table]) -> None:
    run = table("search")
    arms = fold(run).dropna(subset=["mean"])
    middle = float(arms["params"].median()) + 1
    named = {"best_under": {"cost": "params", "limits": [middle]}}
    asked = dataclasses.replace(run, study={**run.study, "confirm": named})
    first, last = bands(asked, arms).to_dict("records")
    within = arms[arms["params"] <= middle]
    assert (first["cost"], first["limit"], last["limit"]) == ("params", middle, math.inf)
    assert (first["mean"], first["has"]) == (within["mean"].max(), within.at[first["arm"], "params"])
    assert first["rival"] is None or arms.at[first["rival"], "params"] <= middle
    said = band(find(asked), first)
    assert said.subject.startswith("Up to ")
    assert said.subject.endswith("parameters")
    assert f"at {amount(first['has'], 'params')}" in str(said)
    untimed = {"best_under": {"cost": "latency_64", "limits": [1.0]}}
    assert set(bands(dataclasses.replace(run, study={**run.study, "confirm": untimed}), arms)["cost"]) == {"macs"}


@pytest.mark.parametrize(
    ("value", "cost", "said", "called"),
    [
        (60_300, "macs", "60.3 k MACs", "MACs"),
        (12_000, "params", "12 k parameters", "Parameters"),
        (0.5, "latency_1", "0.5 ms for 1 image", "ms for 1 image"),
        (3.25, "latency_64", "3.25 ms for 64 images", "ms for 64 images"),
    ],
)
def test_costs_have_their_units(value: float, cost: str, said: str, called: str) -> None:
    assert limit(value, cost).replace("\u00a0", " ") == said
    assert heading(cost).replace("\u00a0", " ") == called


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
