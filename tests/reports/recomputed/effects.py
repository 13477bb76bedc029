"""Declared comparisons: effects, intervals, corrected p values, sizes, costs and verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from tests.reports.evidence import Floats, Row, Run, findable, interval, mean, numbers, p_value, sd


def check(run: Run) -> None:
    rows = run.rows("comparisons")
    if not rows:
        return
    own = differences(run)
    judged(run, "comparisons", rows, own, corrected(run, own)[: len(rows)])
    planned = len({*run.seeds, *run.wide().index})
    made = [row["arm"] is not None or (run.kind == "factorial" and bool(settings(run, row))) for row in rows]
    run.check("comparisons", rows, "planned", [planned if is_made else 0 for is_made in made])
    _costs(run, rows)


def differences(run: Run) -> list[Floats]:
    """Returns each comparison's paired differences over seeds, by its own way to them."""
    if run.kind != "factorial":
        pairs = [(run.scores(row["arm"]), run.scores(row["against"])) for row in run.rows("comparisons")]
        return [numbers(own - other) for own, other in pairs]
    fraction = run.fraction
    return [_coefficients(run, row) if fraction else _settings(run, row) for row in run.rows("comparisons")]


def settings(run: Run, row: Row) -> list[tuple[str, str]]:
    """The arms of each setting of the other factors that has a result at both levels; of a fraction, its arms once."""
    standing = {arm: run.entries[arm]["twin"] if row["at"] == "matched" else arm for arm in run.levels.index}
    usable = [arm for arm in run.levels.index if standing[arm] in run.entries and whole(run, standing[arm])]
    if run.fraction:
        return [(arm, arm) for arm in usable]
    group, level = row["factor"].split(" and "), row["level"].split(", ")[0]
    others, levels = [name for name in run.levels if name not in group], run.levels.loc[usable]
    sides = [
        {tuple(setting): arm for arm, setting in zip(part.index, part[others].to_numpy(), strict=True)}
        for part in (levels[levels[group[0]] == each] for each in (level, run.base[group[0]]))
    ]
    return [(standing[sides[0][each]], standing[sides[1][each]]) for each in sides[0] if each in sides[1]]


def whole(run: Run, arm: str) -> bool:
    """Whether an arm gave a result with half of its seeds, two at least, or may still."""
    own = run.trials[(run.trials["arm"] == arm) & (run.trials["phase"] == "explore")]
    ended = own[own["status"] != "running"]
    planned = len(run.seeds)
    needed = 1 if planned == 1 else max(2, int(np.ceil(planned / 2)))
    return len(ended) < planned or (own["status"] == "completed").sum() >= needed


def _settings(run: Run, row: Row) -> Floats:
    """The mean over the settings of the other factors of the differences seed by seed."""
    wide = run.wide()
    found = [wide[own] - wide[base] for own, base in settings(run, row)]
    return numbers(sum(found) / len(found)) if found else np.array([])


def _coefficients(run: Run, row: Row) -> Floats:
    """The level's coefficient in the model of main effects, fitted within each seed."""
    terms = [f"C({name}, Treatment({run.base[name]!r}))" for name in run.levels]
    fits = [
        ols(f"y ~ {' + '.join(terms)}", run.levels.assign(y=scores.reindex(run.levels.index).astype(float))).fit()
        for _, scores in run.wide().iterrows()
    ]
    name = f"C({row['factor']}, Treatment({run.base[row['factor']]!r}))[T.{row['level']}]"
    return np.array([fit.params[name] for fit in fits])


def corrected(run: Run, own: list[Floats]) -> list[float]:
    """Holm's p values of comparisons, then of interactions: a family, those not made or not testable counting as 1."""
    steps = [row["p"] for row in run.rows("interactions")]
    p = np.array([p_value(each) for each in own] + [np.nan if each is None else each for each in steps])
    size = max(family(run), int((~np.isnan(p)).sum()))
    distinct = _distinct(run, p)
    known = [p[place] for place in distinct]
    padded = np.array([*known, *([1.0] * (size - len(known)))])
    found = dict(zip(distinct, multipletests(padded, method="holm")[1], strict=False)) if len(padded) else {}
    places = [next((each for each in distinct if _same(run, each, place)), None) for place in range(len(p))]
    return [np.nan if np.isnan(p[place]) or each is None else float(found[each]) for place, each in enumerate(places)]


def _distinct(run: Run, p: Floats) -> list[int]:
    """The places of tests, one arm held against one other counting once."""
    return [
        place
        for place in range(len(p))
        if not np.isnan(p[place]) and not any(_same(run, place, each) for each in range(place))
    ]


def _same(run: Run, one: int, other: int) -> bool:
    rows = run.rows("comparisons")
    if one == other or run.kind == "factorial":
        return one == other
    return all(rows[one][name] == rows[other][name] for name in ("arm", "against"))


def family(run: Run) -> int:
    """How many comparisons the family has: those that are there, each pair of arms once, or those declared."""
    rows = run.rows("comparisons")
    if run.kind == "factorial":
        return len(rows) + len(run.rows("interactions"))
    made = {(row["arm"], row["against"]) for row in rows if row["arm"] is not None}
    return max(len(made), run.arms["design"]["family"] or 0)


def judged(run: Run, where: str, rows: list[Row], own: list[Floats], holm: list[float]) -> None:
    """Holds effects against their paired differences: everything that a t test says, and the verdict."""
    run.check(where, rows, "effect", [mean(each) for each in own])
    run.check(where, rows, "sd", [sd(each) for each in own])
    run.check(where, rows, "low", [interval(each)[0] for each in own])
    run.check(where, rows, "high", [interval(each)[1] for each in own])
    run.check(where, rows, "p", [p_value(each) for each in own])
    run.check(where, rows, "pairs", [len(each) for each in own])
    run.check(where, rows, "p_holm", holm)
    found = [findable(len(each), 0.05 / max(family(run), 1)) for each in own]
    run.check(where, rows, "detectable", [d * sd(each) for d, each in zip(found, own, strict=True)], rel=1e-3)
    equivalent = [_equivalence(run.record["margin"], each) for each in own]
    if run.record["margin"] is not None:
        run.check(where, rows, "p_equivalence", equivalent)
    for row, p, p_equivalence in zip(rows, holm, equivalent, strict=True):
        assert row["verdict"] == _verdict(row, p, p_equivalence), row
    _standardised(run, where, rows, own)


def _equivalence(margin: float | None, own: Floats) -> float:
    if margin is None or np.isnan(p_value(own)):
        return np.nan
    return float(ttost_paired(own, np.zeros(len(own)), -margin, margin)[0])


def _verdict(row: Row, holm: float, equivalence: float) -> str | None:
    if row["planned"] == 0:
        return None
    if row["p"] is None:
        return "no verdict"
    whole = row["pairs"] == row["planned"]
    if whole and holm < 0.05:
        return "detected"
    if whole and equivalence < 0.05:
        return "equivalent"
    return "suggestive" if row["p"] < 0.05 else "not detected"


def _standardised(run: Run, where: str, rows: list[Row], own: list[Floats]) -> None:
    """The effect in SDs of the differences, corrected for few pairs; its ends by inverting the noncentral t."""
    for row, each in zip(rows, own, strict=True):
        names = ("standardised", "standardised_low", "standardised_high")
        if len(each) < 3 or np.isnan(p_value(each)):
            run.check_row(where, row, dict.fromkeys(names))
            continue
        freedom, ratio = len(each) - 1, float(each.mean() / each.std(ddof=1))
        hedges = special.gamma(freedom / 2) / special.gamma((freedom - 1) / 2) / np.sqrt(freedom / 2)
        ends = [
            _noncentrality(ratio * np.sqrt(len(each)), freedom, tail) / np.sqrt(len(each)) for tail in (0.975, 0.025)
        ]
        run.check(where, [row], names[0], [ratio * hedges])
        for name, end in zip(names[1:], ends, strict=True):
            run.seen.add((where, name))
            assert row[name] == pytest.approx(end, abs=2e-3 * max(1, abs(end))), (name, row)


def _noncentrality(t: float, freedom: int, wanted: float) -> float:
    """The noncentrality at which a t of at most ``t`` has the wanted probability, by integrating over the SD."""
    quantiles = (np.arange(4000) + 0.5) / 4000
    s = np.sqrt(stats.chi2.ppf(quantiles, freedom) / freedom)

    def excess(shift: float) -> float:
        return float(stats.norm.cdf(t * s - shift).mean()) - wanted

    return float(optimize.brentq(excess, -60 - 3 * abs(t), 60 + 3 * abs(t)))


def _costs(run: Run, rows: list[Row]) -> None:
    costs = {entry["arm"]: entry["cost"]["macs"] for entry in run.arms["arms"]}
    if run.kind == "factorial":
        found = [_factorial_cost(run, row, costs) for row in rows]
        run.check("comparisons", rows, "macs", found)
        equal = [row["at"] == "matched" or row["same"] for row in rows]  # the fixtures hold MACs equal
        run.check("comparisons", rows, "gap", [gap if at else None for gap, at in zip(found, equal, strict=True)])
        return
    for row in rows:
        if row["arm"] is not None:
            run.check("comparisons", [row], "macs", [costs[row["arm"]] / costs[row["against"]] - 1])
        elif row["macs"] is not None:  # an arm that was not run has a cost all the same
            of = [each for each in run.arms["arms"] if str(each["levels"].get(row["factor"])) == row["level"]]
            assert any(row["macs"] == pytest.approx(each["cost"]["macs"] / costs[run.baseline] - 1) for each in of)
        gap = run.entries[row["arm"]]["gap"] if row["arm"] and (row["same"] or "matched" in row["at"]) else None
        run.check("comparisons", [row], "gap", [gap])


def _factorial_cost(run: Run, row: Row, costs: dict[str, float]) -> float:
    """The ratio of geometric means of MACs, level against the baseline's, over the settings that have both."""
    own = pd.Series({arm: np.log(cost) for arm, cost in costs.items()})
    if run.fraction:
        terms = [f"C({name}, Treatment({run.base[name]!r}))" for name in run.levels]
        fit = ols(f"y ~ {' + '.join(terms)}", run.levels.assign(y=own.reindex(run.levels.index))).fit()
        return float(np.exp(fit.params[f"{terms[list(run.levels).index(row['factor'])]}[T.{row['level']}]"]) - 1)
    ratios = [own[one] - own[other] for one, other in settings(run, row)]
    return float(np.exp(np.mean(ratios)) - 1) if ratios else np.nan
