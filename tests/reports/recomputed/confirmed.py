"""The confirm phase: gains, shrinkage, what finalists are worth, and the expected inflation of the best."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import integrate, stats
from statsmodels.formula.api import ols

from tests.reports.evidence import Row, Run, interval, numbers, scatter


def check(run: Run) -> None:
    _inflation(run)
    rows, base = run.rows("confirmed"), run.baseline
    if not rows:
        return
    every = {row["arm"]: row for row in run.rows("arms")}
    for name in [name for name in rows[0] if not name.startswith(("gain_", "worth"))]:
        if any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows):
            run.check("confirmed", rows, name, [every[row["arm"]][name] for row in rows])
    wide = run.wide("confirm")
    gains = [None if row["arm"] == base else numbers(wide[row["arm"]] - wide[base]) for row in rows]
    run.check("confirmed", rows, "gain_effect", [None if own is None else own.mean() for own in gains])
    run.check("confirmed", rows, "gain_low", [None if own is None else interval(own)[0] for own in gains])
    run.check("confirmed", rows, "gain_high", [None if own is None else interval(own)[1] for own in gains])
    run.check("confirmed", rows, "gain_pairs", [None if own is None else len(own) for own in gains])
    _shrunk(run, wide, base)
    _worth(run, rows)


def _worth(run: Run, rows: list[Row]) -> None:
    """What finalists are worth by both phases, as the posterior of two normal measurements weighed by precision."""
    first, fresh = run.wide("explore").dropna(axis=1), run.wide("confirm").dropna(axis=1)
    fresh = fresh[[arm for arm in fresh if arm in first]]
    lengths = {(run.study.get(part) or {}).get("epochs") for part in ("train", "confirm")} - {None}
    if first.shape[1] < 4 or min(fresh.shape) < 2 or len(lengths) > 1:  # one fresh seed tells no noise of its phase
        for name in ("worth", "worth_low", "worth_high"):
            run.check("confirmed", rows, name, [None] * len(rows))
        return
    fits = [
        ols("score ~ C(arm) + C(seed)", wide.melt(ignore_index=False, value_name="score").reset_index()).fit()
        for wide in (first, fresh)
    ]
    noise = sum(fit.ssr for fit in fits) / sum(fit.df_resid for fit in fits)
    grand, spread, arms = first.mean().mean(), first.mean().var(), first.shape[1]
    kept = max(0, 1 - (arms - 3) / (arms - 1) * noise / len(first) / spread)
    expected = grand + kept * (first.mean()[fresh.columns] - grand)
    lift = (fresh.mean() - expected).mean()
    before, after = len(first) / (kept * noise), len(fresh) / noise  # precisions
    posterior = (before * (expected + lift) + after * fresh.mean()) / (before + after)
    together = max(0, fresh.mean(axis=1).var() - noise / fresh.shape[1]) / len(fresh)
    own = 1 / (before + after) + (before / (before + after)) ** 2 * (1 / before + 1 / after) / fresh.shape[1]
    rest = sum(fit.df_resid for fit in fits)
    freedom = (own + together) ** 2 / (own**2 / rest + together**2 / (len(fresh) - 1))  # Satterthwaite
    half = stats.t.ppf(0.975, freedom) * np.sqrt(own + together)
    run.check("confirmed", rows, "worth", [posterior.get(row["arm"]) for row in rows])
    run.check("confirmed", rows, "worth_low", [posterior.get(row["arm"], np.nan) - half for row in rows])
    run.check("confirmed", rows, "worth_high", [posterior.get(row["arm"], np.nan) + half for row in rows])


def _shrunk(run: Run, fresh: pd.DataFrame, base: str) -> None:
    rows, first = run.rows("shrinkage"), run.wide("explore")
    if not rows:
        return
    before, after = first.sub(first[base], axis=0), fresh.sub(fresh[base], axis=0)
    chosen = [row["arm"] for row in rows if row["arm"] is not None]
    pairs = [
        (numbers(before[arm]), numbers(after[arm]))
        if arm is not None
        else tuple(numbers(part[chosen].mean(axis=1)) for part in (before, after))
        for arm in [row["arm"] for row in rows]
    ]
    run.check("shrinkage", rows, "selected", [one.mean() for one, _ in pairs])
    run.check("shrinkage", rows, "confirmed", [other.mean() for _, other in pairs])
    run.check("shrinkage", rows, "shrinkage", [one.mean() - other.mean() for one, other in pairs])
    run.check("shrinkage", rows, "selected_n", [len(one) for one, _ in pairs])
    run.check("shrinkage", rows, "confirmed_n", [len(other) for _, other in pairs])
    tests = [
        stats.ttest_ind(one, other, equal_var=False) if min(len(one), len(other)) > 1 else None for one, other in pairs
    ]
    ends = [None if test is None else test.confidence_interval(0.95) for test in tests]
    run.check("shrinkage", rows, "p", [None if test is None else test.pvalue for test in tests])
    run.check("shrinkage", rows, "low", [None if end is None else end.low for end in ends])
    run.check("shrinkage", rows, "high", [None if end is None else end.high for end in ends])


def _inflation(run: Run) -> None:
    found, wide = run.record["inflation"], run.wide("explore")
    count = int(wide.notna().any().sum())
    assert (found is None) == (count < 2 or run.kind == "train")
    if found is None:
        return
    seeds = int(np.median(wide.notna().sum()[wide.notna().any()]))
    whole = wide.dropna(axis=1)
    own = scatter(run)[0]
    if len(wide) > 1 and whole.shape[1] > 1:  # without what a seed does to all arms
        long = whole.melt(ignore_index=False, value_name="y").reset_index()
        own = float(np.sqrt(ols("y ~ C(seed) + C(arm)", long).fit().mse_resid))
    largest = integrate.quad(lambda x: x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1), -10, 10)[0]
    expected = {"arms": count, "seeds": seeds, "sd": own, "expected": own / np.sqrt(seeds) * largest}
    run.check_row("inflation", found, expected)
