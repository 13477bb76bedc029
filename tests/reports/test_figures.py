"""Figures, through their data."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import reports
from reports import figures
from reports.figures import accuracy_cost, latency, learning_curves, selection
from reports.numbers import percent_interval
from reports.table import Table, read
from tests.reports import runs
from tests.reports.conftest import EVERY


def checked(figure: Any) -> go.Figure:
    """Returns a figure as plotly's own, which refuses what plotly.js would not understand."""
    return go.Figure(figure.data, figure.layout)


def panels(made: Any) -> list[go.Figure]:
    """Returns all panels of all variants that a figure module drew."""
    variants = made.values() if isinstance(made, dict) else [made]
    return [checked(panel) for drawn in variants for panel in (drawn if isinstance(drawn, list) else [drawn])]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("figure", figures.discover(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_figure_shows_every_run_or_nothing(
    figure: figures.Figure, name: str, table: Callable[[str], Table]
) -> None:
    frame = figure.data(table(name))
    if frame.empty:
        return
    assert set(figure.COLUMNS) - set(getattr(figure, "OPTIONAL", ())) <= set(frame.columns)
    for fraction in {"mean", "share", "best"} & set(frame.columns):
        assert frame[fraction].between(0, 1 + 1e-9).all()
    if "volume" in frame:  # of what it is in the end, which a lucky seed may have exceeded
        assert (frame["volume"] >= 0).all()
        assert frame["volume"].iloc[-1] == 1 or "series" in frame
    assert figure.caption(frame).endswith(".")
    for panel in panels(figure.draw(frame)):
        assert panel.layout.height > 100
        json.loads(panel.to_json())


def test_accuracy_against_cost_has_every_measured_arm_once(table: Callable[[str], Table]) -> None:
    frame = accuracy_cost.data(table("ablation"))
    assert len(frame) == frame["arm"].nunique() == 8
    assert frame["series"].value_counts().to_dict() == {"expansion": 6, "baseline": 1, "attention": 1}
    assert frame.loc[frame["match"] == "macs", "tag"].tolist() == ["1", "2", "6"]
    assert (frame["low"] < frame["mean"]).all()
    assert (frame["mean"] < frame["high"]).all()


def test_the_drawn_front_rises_with_cost(table: Callable[[str], Table]) -> None:
    frame = accuracy_cost.data(table("search"))
    front = frame[frame["front"]].sort_values("macs")
    assert front["mean"].is_monotonic_increasing
    drawn = panels(accuracy_cost.draw(frame))[0].data[0]
    assert list(drawn.x[:-1]) == front["macs"].tolist()
    assert drawn.line.shape == "hv"


def test_thousands_of_arms_are_counted_not_sampled(tmp_path: Path) -> None:
    frame = accuracy_cost.data(read(runs.searched(arms=1500, name="many").write(tmp_path)))
    for _, part in frame.groupby("cost"):  # each cost is counted anew
        assert len(part) < 700
        assert part["count"].sum() == 1500
        assert (part.loc[part["front"], "count"] == 1).all()
    assert {"macs", "params", "activations"} <= set(frame["cost"])


def test_intervals_are_clipped_to_what_an_accuracy_can_be(tmp_path: Path) -> None:
    table = read(runs.finished_ablation(noise=0.03, seeds=[0, 1]).write(tmp_path))
    for figure in (accuracy_cost, selection):
        frame = figure.data(table)
        assert frame["high"].max() == 1
        drawn = panels(figure.draw(frame))[0]
        axis = drawn.layout.yaxis if figure is accuracy_cost else drawn.layout.xaxis
        assert axis.range[1] <= max(1, frame["mean"].max() + 0.01)
        assert "clipped to 0–100%" in figure.caption(frame)
    assert percent_interval(-0.1, 1.2) == "[0.0, 100.0]"


@pytest.mark.parametrize("last", [1, 2, 3, 7, 8, 20, 37, 90, 200])
def test_the_last_epoch_has_a_tick_and_all_are_whole(last: int, tmp_path: Path) -> None:
    frame = learning_curves.data(read(runs.run_all(runs.ablation(epochs=last)).write(tmp_path)))
    ticks = checked(learning_curves.draw(frame)[0]).layout.xaxis.tickvals
    assert ticks[0] == 0
    assert ticks[-1] == last
    assert len(ticks) <= 8
    assert all(isinstance(tick, int) for tick in ticks)


def test_curves_show_the_last_half_of_the_epochs(table: Callable[[str], Table]) -> None:
    frame = learning_curves.data(table("ablation"))
    floor = frame.loc[frame["epoch"] > 4, "low"].min()
    span = checked(learning_curves.draw(frame)[0]).layout.yaxis.range
    assert frame["low"].min() < span[0] < floor
    assert "the beginning is cut off" in learning_curves.caption(frame)


def test_curves_are_means_over_completed_seeds(table: Callable[[str], Table], written: Callable[[str], Path]) -> None:
    frame = learning_curves.data(table("broken"))
    raw = pd.read_csv(written("broken") / "epochs.csv")
    results = pd.read_csv(written("broken") / "results.csv")
    completed = results.loc[results["status"] == "completed", "trial"]
    arm = table("broken").arms.query("label == 'expansion=1'").index[0]
    own = raw[(raw["arm"] == arm) & raw["trial"].isin(completed)].groupby("epoch")["val_accuracy"]
    line = frame[(frame["arm"] == arm)].set_index("epoch")
    assert line["mean"].to_numpy() == pytest.approx(own.mean().to_numpy())
    assert line["low"].to_numpy() == pytest.approx(own.min().to_numpy())
    assert line["high"].to_numpy() == pytest.approx(own.max().to_numpy())
    assert (line["n"] == 3).all()


def test_each_factor_has_its_panel_with_the_baseline(table: Callable[[str], Table]) -> None:
    frame = learning_curves.data(table("ablation"))
    panels = {panel: part["series"].unique().tolist() for panel, part in frame.groupby("panel", sort=False)}
    assert panels == {
        "expansion": ["baseline", "1", "2", "6"],
        "expansion, equal MACs": ["baseline", "1", "2", "6"],
        "attention": ["baseline", "se"],
    }


def test_many_levels_are_spread_over_panels(tmp_path: Path) -> None:
    levels = [str(level) for level in range(10)]
    sketch = runs.Sketch("levels", "one_at_a_time", {"width": levels}, {"width": "0"}, [0, 1])
    for level in levels:
        sketch.arm({"width": level} if level != "0" else {}, 0.9, 1000 + int(level))
    frame = learning_curves.data(read(runs.run_all(sketch).write(tmp_path)))
    assert frame["panel"].unique().tolist() == ["width (1 of 2)", "width (2 of 2)"]
    assert frame.groupby("panel")["series"].nunique().max() <= 1 + learning_curves.MOST_LINES


def test_a_factorial_of_many_combinations_shows_its_front(tmp_path: Path) -> None:
    names = ["width", "depth", "kernel", "norm"]
    sketch = runs.Sketch("many", "factorial", {name: ["1", "2"] for name in names}, dict.fromkeys(names, "1"), [0, 1])
    for number, levels in enumerate(itertools.product("12", repeat=4)):
        own = {name: level for name, level in zip(names, levels, strict=True) if level == "2"}
        sketch.arm(own, 0.9 + 0.005 * number, 1000 + number)
    table = read(runs.run_all(sketch).write(tmp_path))
    assert set(accuracy_cost.data(table)["series"]) <= {"baseline", "on the front", "other arms"}
    frame = learning_curves.data(table)
    assert frame["panel"].unique().tolist() == ["best of the front"]
    assert learning_curves.CROWD in set(frame["series"])


def test_selection_shows_three_stages_of_each_finalist(table: Callable[[str], Table]) -> None:
    run = table("ablation")
    frame = selection.data(run)
    assert set(frame["arm"]) == {*run.finalists, run.baseline}
    assert (frame.groupby("arm")["stage"].nunique() == 3).all()
    assert frame["arm"].iloc[0] == run.winner["arm"]  # type: ignore[index]


def test_hostile_text_is_escaped_in_figures(table: Callable[[str], Table]) -> None:
    for figure in figures.discover():
        frame = figure.data(table("hostile"))
        for panel in [] if frame.empty else panels(figure.draw(frame)):
            assert "<img" not in panel.to_json()
            assert "<a " not in panel.to_json()


def test_a_new_file_is_a_new_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "seed_scatter.py").write_text(
        "import plotly.graph_objects as go\n"
        "SECTION, ORDER, TITLE, COLUMNS = 'scatter', 50, 'Seed scatter', {'seed': 'Seed'}\n"
        "def data(table): return table.trials[['seed']]\n"
        "def caption(frame): return 'A new figure.'\n"
        "def draw(frame): return go.Figure(layout={'height': 200})\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(folder)])
    page = reports.build(runs.run_all(runs.ablation()).write(tmp_path)).read_text(encoding="utf-8")
    sys.modules.pop("reports.figures.seed_scatter")
    assert "A new figure." in page
    assert 'id="scatter-title">Seed scatter</h2>' in page


def test_a_figure_that_lacks_a_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half.py").write_text("TITLE = 'Half'\n", encoding="utf-8")
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    with pytest.raises(TypeError, match=r"reports\.figures\.half lacks SECTION, ORDER, COLUMNS, data, caption, draw"):
        figures.discover()
    sys.modules.pop("reports.figures.half")


def test_missing_numbers_are_null_in_figures(table: Callable[[str], Table]) -> None:
    text = accuracy_cost.draw(accuracy_cost.data(table("search")))["MACs"].to_json()
    assert "NaN" not in text
    assert not np.isnan(json.loads(text)["data"][0]["y"][0])


def test_times_of_two_engines_never_share_a_front(tmp_path: Path) -> None:
    sketch = runs.diagnosed_ablation()
    table = read(sketch.write(tmp_path / "one"))
    drawn = accuracy_cost.draw(accuracy_cost.data(table))
    assert {"MACs", "milliseconds, 1 image", "milliseconds, 64 images", "megabytes"} <= set(drawn)
    assert "those of ONNX Runtime (CPUExecutionProvider)" in accuracy_cost.caption(accuracy_cost.data(table))
    frame = latency.data(table)
    for variant, figure in latency.draw(frame).items():
        fronts = [trace for trace in figure.data if trace["mode"] == "lines"]
        assert [trace["name"] for trace in fronts] == [f"Pareto front, {name}" for name in ("torch", "ONNX Runtime")]
        for name, trace in zip(("torch", "ONNX Runtime"), fronts, strict=True):
            own = frame.loc[frame["engine"] == name, "bytes" if variant == "size" else "median"]
            assert set(trace["x"][:-1]) <= set(own)
    sketch.arms[2]["latency"] = {"latency_1": {"runtime": "torch", "bytes": 40_000}}
    mixed = accuracy_cost.data(read(sketch.write(tmp_path / "two")))
    assert "MACs" in accuracy_cost.draw(mixed)
    assert not {"milliseconds, 1 image", "milliseconds, 64 images", "megabytes"} & set(accuracy_cost.draw(mixed))
