"""What the page says of larger fractions, and of rankings with ties, by other ways: cell means predicted by formula."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols

from reports.comparisons import comparisons, interactions
from reports.fidelity import fidelity
from reports.findings import find
from reports.model import model
from reports.sections import factorial as section
from reports.table import Table, read
from tests.reports import runs
from tests.reports.recomputed.recipes import interval_of_tau
from tests.reports.test_main_effects import accuracies

NAMES = ("se", "gelu", "deep", "wide")


def resolution_four() -> runs.Sketch:
    """Half of the cells of four two-level factors, the fourth the product of the others: pairs share their contrast."""
    off = dict.fromkeys(NAMES, "off")
    sketch = runs.Sketch("half_of_four", "factorial", {name: ["off", "on"] for name in NAMES}, off, [0, 1, 2, 3, 4])
    pairs = [["se:gelu", "deep:wide"], ["se:deep", "gelu:wide"], ["se:wide", "gelu:deep"]]
    fraction = {"kind": "resolution", "resolution": 4, "runs": 8, "aliases": pairs}
    sketch.design = {"fraction": fraction}
    for cell in itertools.product((0, 1), repeat=3):
        own = dict(zip(NAMES, ("on" if each else "off" for each in (*cell, sum(cell) % 2)), strict=True))
        accuracy = 0.9 + 0.01 * sum(cell) + 0.012 * cell[0] * cell[1]
        sketch.arm({name: level for name, level in own.items() if level == "on"}, accuracy, 100_000 + 30_000 * cell[2])
    return runs.run_all(sketch)


def d_optimal() -> runs.Sketch:
    """Nine of twelve cells of three blocks, two rates and two depths, made to tell how block and rate act together."""
    columns = {"block": ["basic", "se", "eca"], "rate": ["0.1", "0.3"], "deep": ["off", "on"]}
    base = {"block": "basic", "rate": "0.1", "deep": "off"}
    sketch = runs.Sketch("nine_of_twelve", "factorial", columns, base, [0, 1, 2, 3, 4])
    terms = [["block"], ["rate"], ["deep"], ["block", "rate"]]
    sketch.design = {"fraction": {"kind": "d_optimal", "runs": 9, "efficiency": 0.95, "terms": terms}}
    deep = {("basic", "0.3"), ("se", "0.1"), ("eca", "0.3")}
    for block, rate in itertools.product(*(columns[name] for name in ("block", "rate"))):
        for depth in ("off", "on") if (block, rate) in deep else ("off",):
            accuracy = 0.9 + 0.01 * (block == "se") + 0.02 * (rate == "0.3") * (block == "eca") + 0.01 * (depth == "on")
            own = {"block": block, "rate": rate, "deep": depth}
            macs = 100_000 + 10_000 * columns["block"].index(block) + 80_000 * (depth == "on")
            sketch.arm({name: level for name, level in own.items() if level != base[name]}, accuracy, macs)
    return runs.run_all(sketch)


MADE = {"resolution": resolution_four, "d_optimal": d_optimal}
INTERACTIONS = {"resolution": [("se", "gelu"), ("se", "deep"), ("se", "wide")], "d_optimal": [("block", "rate")]}


@pytest.fixture(params=[*MADE])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Table, pd.DataFrame]:
    folder = MADE[request.param]().write(tmp_path)
    return request.param, read(folder), accuracies(folder)


def formula(kind: str, table: Table, order: int = 2) -> str:
    terms = [f"C({name}, Sum)" for name in table.levels]
    terms += [f"C({one}, Sum):C({other}, Sum)" for one, other in INTERACTIONS[kind]] if order > 1 else []
    return " + ".join(terms)


def cell_means(table: Table, scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Returns the scores that the model predicts, seeds x all cells of the whole factorial."""
    grid = pd.DataFrame(list(itertools.product(*(table.levels[name].unique() for name in table.levels))))
    grid = grid.set_axis([*table.levels], axis=1)
    levels = table.levels.astype(str)
    fits = [ols(f"y ~ {model}", levels.assign(y=own[levels.index].astype(float))).fit() for _, own in scores.iterrows()]
    return pd.DataFrame([fit.predict(grid).to_numpy() for fit in fits], columns=pd.MultiIndex.from_frame(grid))


def at(cells: pd.DataFrame, **levels: str) -> pd.Series:
    """Returns the mean of all cells at some levels, with equal weight, seed by seed."""
    chosen = [cell for cell in cells if all(cell[cells.columns.names.index(n)] == own for n, own in levels.items())]
    return cells[chosen].mean(axis=1)


def test_main_effects_are_differences_of_predicted_means(made: tuple[str, Table, pd.DataFrame]) -> None:
    kind, table, scores = made
    base = table.levels.loc[table.baseline]
    cells = cell_means(table, scores, formula(kind, table))
    costs = cell_means(table, np.log(table.arms[["macs"]].T.astype(float)), formula(kind, table))
    rows = comparisons(table)
    assert len(rows) == sum(table.levels[name].nunique() - 1 for name in table.levels)
    for row in rows.to_dict("records"):
        name, level = row["factor"], row["level"]
        own = at(cells, **{name: level}) - at(cells, **{name: base[name]})
        check(row, own)
        cost = at(costs, **{name: level}) - at(costs, **{name: base[name]})
        assert row["macs"] == pytest.approx(np.exp(cost.iloc[0]) - 1, abs=1e-9)
        assert row["note"] == f"coefficient over the {len(table.levels)} cells of the fraction"


def test_interactions_are_differences_of_differences(made: tuple[str, Table, pd.DataFrame]) -> None:
    kind, table, scores = made
    cells, steps = cell_means(table, scores, formula(kind, table)), interactions(table)
    assert sorted(set(steps["term"])) == sorted(":".join(pair) for pair in INTERACTIONS[kind])
    for row in steps.to_dict("records"):
        (one, other), own, base = (row[part].split(":") for part in ("term", "level", "against"))
        first, second = ({one: levels[0], other: levels[1]} for levels in (own, base))
        crossed = {one: own[0], other: base[1]}, {one: base[0], other: own[1]}
        check(row, at(cells, **first) - at(cells, **crossed[0]) - at(cells, **crossed[1]) + at(cells, **second))
    p = [*comparisons(table)["p"], *steps["p"]]
    order = np.argsort(p)
    holm = np.maximum.accumulate(np.sort(p) * (len(p) - np.arange(len(p)))).clip(max=1)
    assert [*comparisons(table)["p_holm"], *steps["p_holm"]] == pytest.approx(holm[np.argsort(order)].tolist())


def check(row: dict[Any, Any], own: pd.Series) -> None:
    """Holds an effect against its differences over seeds."""
    test = stats.ttest_1samp(own, 0)
    assert row["effect"] == pytest.approx(own.mean(), abs=1e-12)
    assert row["p"] == pytest.approx(test.pvalue, rel=1e-6)
    assert [row["low"], row["high"]] == pytest.approx([*test.confidence_interval()], abs=1e-12)


def test_terms_are_what_a_fit_loses_without_them(made: tuple[str, Table, pd.DataFrame]) -> None:
    kind, table, scores = made
    fitted = model(table)
    assert fitted is not None
    assert fitted.fit is not None
    fit = ols(f"y ~ {formula(kind, table)}", table.levels.astype(str).assign(y=scores[table.levels.index].mean())).fit()
    design, names = np.asarray(fit.model.exog), [re.sub(r"\[.*?\]", "", name) for name in fit.model.exog_names]
    y, seeds = scores[table.levels.index].to_numpy(float), len(scores)
    columns = {name: f"C({name}, Sum)" for name in table.levels}
    columns |= {":".join(pair): ":".join(f"C({name}, Sum)" for name in pair) for pair in INTERACTIONS[kind]}
    assert set(fitted.fit.terms["term"]) == set(columns)
    for row in fitted.fit.terms.to_dict("records"):
        others = [place for place, name in enumerate(names) if name != columns[row["term"]]]
        kept, freedom = design[:, others], len(names) - len(others)
        explained = seeds * lost(design, kept, y.mean(axis=0))
        left = sum(lost(design, kept, own) for own in y) - explained
        f = explained / left * (seeds - 1)
        assert (row["freedom"], row["error_freedom"]) == (freedom, freedom * (seeds - 1))
        assert row["f"] == pytest.approx(f, rel=1e-6)
        assert row["eta_squared"] == pytest.approx(explained / (explained + left), rel=1e-6)
        if freedom == 1:
            assert row["p"] == pytest.approx(stats.f.sf(f, 1, seeds - 1), rel=1e-6)


def lost(whole: Any, kept: Any, y: Any) -> float:
    """Returns the sum of squares that a fit loses with the columns that are not kept."""
    residuals = [y - design @ np.linalg.lstsq(design, y, rcond=None)[0] for design in (kept, whole)]
    return float((residuals[0] ** 2).sum() - (residuals[1] ** 2).sum())


def test_what_a_fraction_cannot_tell_apart_is_what_has_the_same_signs(tmp_path: Path) -> None:
    table = read(resolution_four().write(tmp_path))
    signs = {name: np.where(table.levels[name] == "on", 1, -1) for name in NAMES}
    for one, other in itertools.combinations(NAMES, 2):
        signs[f"{one}:{other}"] = signs[one] * signs[other]
    chains = {
        frozenset(name for name, other in signs.items() if abs(own @ other) == len(own)) for own in signs.values()
    }
    fitted = model(table)
    assert fitted is not None
    assert fitted.fit is not None
    assert {frozenset(group) for group in fitted.fit.aliases} == {chain for chain in chains if len(chain) > 1}
    (said,) = section.build(find(table)).lead
    assert "a fraction of resolution 4: 8\u00a0cells" in said
    told = re.search("cannot tell apart: (.+?)[.] Each", said)
    assert told is not None
    assert sorted(told[1].split("; ")) == [
        "se:deep is also gelu:wide",
        "se:gelu is also deep:wide",
        "se:wide is also gelu:deep",
    ]


def test_a_ranking_with_ties_has_tau_b_and_its_interval(tmp_path: Path) -> None:
    sketch = runs.short_and_full()
    for row in sketch.trials:
        if row["phase"] == "fidelity":
            row["val_accuracy"] = round(row["val_accuracy"], 2)
    found = fidelity(read(sketch.write(tmp_path)))
    assert found is not None
    score = {row["trial"]: row["val_accuracy"] for row in sketch.trials}
    assert sketch.fidelity is not None
    short, full = (
        np.array([score[pair[length]["trials"][0]] for pair in sketch.fidelity["arms"]]) for length in ("short", "full")
    )
    assert min(len(set(short)), len(set(full))) < len(short) == 12
    tau = stats.kendalltau(short, full, variant="b")
    agreement = found.agreement
    assert (agreement.tau, agreement.p) == pytest.approx((tau.statistic, tau.pvalue))
    assert [agreement.low, agreement.high] == pytest.approx(interval_of_tau(short, full, tau.statistic), abs=2e-3)
    differing = [(short[i] - short[j]) * (full[i] - full[j]) for i in range(12) for j in range(i)]
    known = [each for each in differing if each]
    assert len(known) < len(differing)
    assert agreement.reversed == pytest.approx(sum(each < 0 for each in known) / len(known))
