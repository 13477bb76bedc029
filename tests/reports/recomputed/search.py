"""What a search found: the best under each limit and its rivals, the front's probabilities, progress, importance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from tests.reports.evidence import Row, Run, scatter


def check(run: Run) -> None:
    _bands(run)
    _unmet(run)
    _likely(run)
    _progress(run)
    _beside_random(run)
    _shares(run)


def _bands(run: Run) -> None:
    every = [row for row in run.rows("arms") if row["mean"] is not None]
    base = next((row["mean"] for row in every if row["arm"] == run.baseline), None)
    for row in run.rows("bands"):
        sd, freedom = scatter(run)
        unit = float(stats.t.ppf(0.975, min(freedom, 1e6))) * sd
        cost = row["cost"]
        within = [arm for arm in every if row["limit"] is None or arm[cost] <= row["limit"]]
        best = max(within, key=lambda arm: (arm["mean"], -arm[cost]))
        assert row["arm"] == best["arm"]
        rivals = [
            arm
            for arm in within
            if arm["arm"] != best["arm"] and best["mean"] - arm["mean"] < unit * np.sqrt(1 / best["n"] + 1 / arm["n"])
        ]
        if rivals:
            assert row["rival"] == min(rivals, key=lambda arm: float(arm[cost]))["arm"]
            assert row["next"] == max(rivals, key=lambda arm: float(arm["mean"]))["arm"]
        gain = None if base is None else best["mean"] - base
        expected = {"macs": best["macs"], "has": best[cost], "mean": best["mean"], "n": best["n"], "gain": gain}
        expected |= {"rivals": len(rivals), "lead": min((best["mean"] - arm["mean"] for arm in rivals), default=None)}
        run.check_row("bands", row, expected)
    run.seen.add(("bands", "limit"))


def _unmet(run: Run) -> None:
    """The limits that the study names and nothing that was measured meets; together with the bands, they are all."""
    rows, named = run.rows("unmet"), (run.study.get("confirm") or {}).get("best_under")
    every = [row for row in run.rows("arms") if row["mean"] is not None]
    if not named or not run.rows("bands"):
        assert rows == []
        return
    limits = {*named["limits"]}
    least = min(run.entries[arm["arm"]]["cost"][named["cost"]] for arm in every)
    run.check("unmet", rows, "limit", sorted(limit for limit in limits if limit < least))
    run.check("unmet", rows, "least", [least] * len(rows))
    met = {row["limit"] for row in run.rows("bands")[:-1] if row["cost"] == named["cost"]}
    assert limits == {row["limit"] for row in rows} | (met & limits)


def _likely(run: Run) -> None:
    """Probabilities of the front, by other draws around the shrunken means, or around the means where arms are few."""
    rows, where = run.rows("figures", "accuracy_cost"), "figures.accuracy_cost"
    run.seen |= {(where, "count"), (where, "likely")}
    assert all(row["count"] == 1 for row in rows)
    if len(rows) < 4:
        assert all(row["likely"] is None for row in rows)
        return
    names = [row["arm"] for row in rows]
    measured = run.wide()[names]
    score, error = measured.mean(), scatter(run)[0] / np.sqrt(measured.count())
    whole = measured.dropna(axis=1)
    if len(measured) > 1 and whole.shape[1] >= 4:
        score[whole.columns], error[whole.columns] = _shrunken(whole)
    cost = np.array([row["macs"] for row in rows])
    normal = np.random.default_rng(99).standard_normal((2000, len(names)))
    drawn = score[names].to_numpy() + error[names].to_numpy() * normal
    beaten = [
        (
            (drawn[:, cost <= own] > drawn[:, [at]])
            | ((cost[cost <= own] < own) & (drawn[:, cost <= own] >= drawn[:, [at]]))
        )
        .any(axis=1)
        .mean()
        for at, own in enumerate(cost)
    ]
    assert np.array([row["likely"] for row in rows]) == pytest.approx(1 - np.array(beaten), abs=0.05)


def _shrunken(whole: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """James and Stein's means towards the grand mean, and their errors after Morris."""
    mean, grand, count = whole.mean(), whole.to_numpy().mean(), whole.shape[1]
    rest = whole.sub(mean).sub(whole.mean(axis=1), axis=0) + grand
    noise = (rest**2).to_numpy().sum() / ((count - 1) * (len(whole) - 1)) / len(whole)
    kept = max(0, 1 - (count - 3) / (count - 1) * noise / mean.var(ddof=1))
    unknown = 2 / (count - 3) * ((1 - kept) * (mean - grand)) ** 2
    return grand + kept * (mean - grand), np.sqrt(noise * (1 - (count - 1) / count * (1 - kept)) + unknown)


def _progress(run: Run) -> None:
    rows, where = run.rows("figures", "progress"), "figures.progress"
    if not rows:
        return
    trials = run.trials[run.trials["phase"] == "explore"].reset_index(drop=True)
    cost, score = np.log10(trials["macs"].astype(float)), trials["val_accuracy"].where(trials["status"] == "completed")
    corner = cost.max(), score.min()
    so_far = [_means(trials["arm"], cost, score, count) for count in range(len(trials) + 1)]
    whole = _area(*so_far[-1], *corner)
    run.check(where, rows, "volume", [_area(*so_far[row["trial"]], *corner) / whole for row in rows])
    run.check(where, rows, "best", [so_far[row["trial"]][1].max() for row in rows])
    run.check(where, rows, "spent", [trials["train_seconds"][: row["trial"]].sum() for row in rows])
    run.seen.add((where, "trial"))


def _means(arms: pd.Series, cost: pd.Series, score: pd.Series, count: int) -> tuple[pd.Series, pd.Series]:
    """The cost of each arm that the first trials are of, and the mean of its seeds among them."""
    groups = pd.DataFrame({"cost": cost, "score": score})[:count].groupby(arms[:count], sort=False)
    return groups["cost"].first(), groups["score"].mean()


def _area(cost: pd.Series, score: pd.Series, dearest: float, worst: float) -> float:
    """The area by slices: between two costs, the best score of what is at most as dear."""
    known = score.notna()
    points = sorted(zip(cost[known], score[known], strict=True))
    area, best = 0.0, worst
    for (own, height), after in zip(points, [*points[1:], (dearest, 0.0)], strict=True):
        best = max(best, height)
        area += (after[0] - own) * (best - worst)
    return area


def _beside_random(run: Run) -> None:
    """Both courses, by slices, beyond a corner that they share; of trials that ended, three forward passes a step."""
    rows, where = run.rows("figures", "against_random"), "figures.against_random"
    if not rows:
        return
    trials = run.trials[run.trials["phase"].isin(["explore", "random"])]
    cost, score = np.log10(trials["macs"].astype(float)), trials["val_accuracy"].where(trials["status"] == "completed")
    dearest, worst = cost[score.notna()].max(), score.min()
    price = 3 * trials["macs"].astype(float) * trials["epochs"].astype(float)
    price *= run.record["environment"]["data"]["train"]
    for series, phase in (("the search", "explore"), ("random search", "random")):
        chosen, own = [row for row in rows if row["series"] == series], trials["phase"] == phase
        counts = [row["trial"] for row in chosen]
        assert counts[-1] == own.sum()
        run.check(where, chosen, "spent", [price[own].iloc[:count].sum() for count in counts])
        so_far = [_means(trials["arm"][own], cost[own], score[own], count) for count in counts]
        run.check(where, chosen, "best", [score.max() for _, score in so_far])
        run.check(where, chosen, "volume", [_area(*means, dearest, worst) for means in so_far])
    run.seen.add((where, "trial"))


def _shares(run: Run) -> None:
    """Importance by statsmodels: type II sums of squares of the additive model over that of the mean."""
    rows, where = run.rows("figures", "importance"), "figures.importance"
    if not rows:
        return
    whole = run.wide().dropna(axis=1, how="any" if run.kind == "factorial" else "all")
    wide = whole[[arm for arm in run.levels.index if arm in whole]]
    levels = _unlinked(run.levels.loc[wide.columns])
    shares, left = _variance(levels, wide.mean())
    run.check(where, rows, "arms", [wide.shape[1]] * len(rows))
    own = [row for row in rows if row["factor"] in shares]
    run.check(where, own, "share", [shares[row["factor"]] for row in own])
    assert sum(row["share"] for row in rows if row["factor"] not in shares) == pytest.approx(left, rel=1e-6)
    low, high = _spread(levels, wide, shares)
    for name, ends in (("low", low), ("high", high)):
        run.check(where, own, name, [ends[row["factor"]] for row in own], rel=1e-5)


def _unlinked(levels: pd.DataFrame) -> pd.DataFrame:
    """Returns one column for factors that move together, named by all of them."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for column in levels:
        groups.setdefault(tuple(pd.factorize(levels[column])[0]), []).append(str(column))
    return pd.DataFrame({" and ".join(group): levels[group[0]] for group in groups.values()})


def _variance(levels: pd.DataFrame, score: pd.Series, cuts: pd.DataFrame | None = None) -> tuple[Row, float]:
    """Returns each factor's share of the variance of a score, and what all leave unexplained."""
    coded = binned(levels) if cuts is None else cuts.loc[levels.index]
    coded = coded.loc[:, coded.nunique() > 1]
    names = {f"f{place}": name for place, name in enumerate(coded)}
    coded = coded.set_axis([*names], axis=1)
    fit = ols("y ~ " + " + ".join(coded), coded.assign(y=score.astype(float))).fit()
    table = anova_lm(fit, typ=2)["sum_sq"]
    total = ((score - score.mean()) ** 2).sum()
    return {name: table[code] / total for code, name in names.items()}, float(table["Residual"] / total)


def binned(levels: pd.DataFrame) -> pd.DataFrame:
    """Returns levels as text, those of factors with more than eight numbers as fifths of the arms."""
    made = {}
    for column in levels:
        known = pd.to_numeric(levels[column], errors="coerce")
        many = known.notna().all() and known.nunique() > 8
        made[column] = pd.qcut(known, 5, labels=False, duplicates="drop").astype(str) if many else levels[column]
    return pd.DataFrame(made)


def _spread(levels: pd.DataFrame, wide: pd.DataFrame, shares: Row) -> tuple[Row, Row]:
    """The ends over seeds, each taken alone, or of a jackknife over twenty groups of arms."""
    if len(wide.dropna()) > 1:
        every = pd.DataFrame([_variance(levels, scores)[0] for _, scores in wide.dropna().iterrows()])
        return every.min().to_dict(), every.max().to_dict()
    if wide.shape[1] < 60:
        return dict.fromkeys(shares), dict.fromkeys(shares)
    arms, cuts = np.asarray(wide.columns), binned(levels)
    parts = [arms[np.arange(len(arms)) % 20 != part] for part in range(20)]
    every = pd.DataFrame([_variance(levels.loc[part], wide.mean()[part], cuts)[0] for part in parts])
    error = np.sqrt(19 / 20 * ((every - every.mean()) ** 2).sum())
    half = {name: float(stats.t.ppf(0.975, 19) * error[name]) for name in shares}
    return (
        {name: max(share - half[name], 0.0) for name, share in shares.items()},
        {name: min(share + half[name], 1.0) for name, share in shares.items()},
    )
