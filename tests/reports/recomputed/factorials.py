"""The factorial model: interactions step by step, and the terms of the analysis of variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import AnovaRM

from tests.reports.evidence import Floats, Row, Run, p_value
from tests.reports.recomputed.effects import corrected, differences, judged, whole


def check(run: Run) -> None:
    rows = run.rows("interactions")
    if rows:
        own = [contrast(run, row) for row in rows]
        holm = corrected(run, differences(run))[len(run.rows("comparisons")) :]
        judged(run, "interactions", rows, own, holm)
        run.check("interactions", rows, "planned", [len(run.seeds)] * len(rows))
        run.check("interactions", rows, "order", [2] * len(rows))
        run.check("interactions", rows, "effect", _by_formula(run))
    if run.rows("terms"):
        (_terms_of_fraction if run.fraction else _terms)(run)


def columns(term: str) -> list[str]:
    """Returns the first factor of each part of a term: "(width & groups):depth" is of width and depth."""
    return [part.strip("()").split(" & ")[0] for part in term.split(":")]


def contrast(run: Run, row: Row) -> Floats:
    """The difference of differences of an interaction of two factors, seed by seed."""
    first, second = columns(row["term"])
    own, base = ([part.split(" & ")[0] for part in row[name].split(":")] for name in ("level", "against"))
    wide, levels = run.wide(), run.levels
    arm = {(levels.at[each, first], levels.at[each, second]): each for each in levels.index}
    assert len(arm) == len(levels)
    stepped = wide[arm[own[0], own[1]]] - wide[arm[base[0], own[1]]]
    return np.asarray(stepped - (wide[arm[own[0], base[1]]] - wide[arm[base[0], base[1]]]), dtype=float)


def _long(run: Run) -> pd.DataFrame:
    kept = [arm for arm in run.levels.index if whole(run, arm)]
    return run.wide()[kept].melt(ignore_index=False, value_name="y").reset_index().join(run.levels, on="arm")


def _by_formula(run: Run) -> list[float]:
    """The interactions as coefficients of a model with the seed as a block, in treatment coding."""
    first, second = columns(run.rows("interactions")[0]["term"])
    terms = [f"C({name}, Treatment({run.base[name]!r}))" for name in (first, second)]
    fit = ols(f"y ~ C(seed) + {terms[0]} * {terms[1]}", _long(run)).fit()
    found = []
    for row in run.rows("interactions"):
        own = [part.split(" & ")[0] for part in row["level"].split(":")]
        found.append(fit.params[f"{terms[0]}[T.{own[0]}]:{terms[1]}[T.{own[1]}]"])
    return found


def _terms(run: Run) -> None:
    """The analysis of variance for repeated measures by statsmodels; p by Greenhouse and Geisser, by hand."""
    rows, where, long = run.rows("terms"), "terms", _long(run)
    first, second = columns(rows[-1]["term"])
    table = AnovaRM(long, "y", "seed", within=[first, second]).fit().anova_table
    assert [":".join(columns(row["term"])) for row in rows] == table.index.tolist()
    run.check(where, rows, "order", [1, 1, 2])
    run.check(where, rows, "f", table["F Value"].tolist())
    run.check(where, rows, "freedom", table["Num DF"].tolist())
    run.check(where, rows, "error_freedom", table["Den DF"].tolist())
    explained = table["F Value"] * table["Num DF"]
    run.check(where, rows, "eta_squared", (explained / (explained + table["Den DF"])).tolist())
    cells = long.pivot(index="seed", columns=[first, second], values="y")
    one, other = cells.columns.levels
    contrasts = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    assert (len(one), len(other)) == (2, 3)
    by_second = [cells[one[0]] + cells[one[1]], cells[one[0]] - cells[one[1]]]
    epsilon = [1.0]
    for seeds in by_second:
        spread = np.cov(seeds.to_numpy() @ contrasts.T, rowvar=False)
        epsilon.append(np.trace(spread) ** 2 / (2 * (spread**2).sum()))
    run.check(where, rows, "epsilon", epsilon)
    shrunk = [(row["f"], e * row["freedom"], e * row["error_freedom"]) for row, e in zip(rows, epsilon, strict=True)]
    run.check(where, rows, "p", [stats.f.sf(*each) for each in shrunk])


def _terms_of_fraction(run: Run) -> None:
    """Main effects of two levels: each F is the square of the paired t."""
    rows, where, own = run.rows("terms"), "terms", differences(run)
    assert [row["term"] for row in rows] == list(run.levels)
    seeds = [len(each) for each in own]
    f = [stats.ttest_1samp(each, 0).statistic ** 2 for each in own]
    run.check(where, rows, "order", [1] * len(rows))
    run.check(where, rows, "f", f)
    run.check(where, rows, "freedom", [1] * len(rows))
    run.check(where, rows, "error_freedom", [n - 1 for n in seeds])
    run.check(where, rows, "epsilon", [1] * len(rows))
    run.check(where, rows, "eta_squared", [each / (each + n - 1) for each, n in zip(f, seeds, strict=True)])
    run.check(where, rows, "p", [p_value(each) for each in own])
