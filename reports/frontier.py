"""What a search has found: the Pareto front, the best arm under each cost, and what cannot be told apart from it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from reports.statistics import chances, expected_inflation, shrunken_means
from reports.table import Table

FEWEST_ARMS, MANY_ARMS = 4, 1000
BAND = ("cost", "limit", "arm", "label", "has", "macs", "mean", "n", "gain", "rivals", "rival", "next", "lead")


@dataclass(frozen=True)
class Noise:
    """How far the accuracies of one arm scatter.

    Attributes:
        sd: Standard deviation of a single trial's validation accuracy, as a fraction.
        freedom: Degrees of freedom behind it (infinite for the sampling bound).
        source: "seeds" where arms were run more than once, else "images": the binomial sampling error of the
            validation split, which knows nothing of what the seed changes.
    """

    sd: float
    freedom: float
    source: str


def noise(table: Table, arms: pd.DataFrame) -> Noise:
    """Estimates the noise of one trial: pooled over arms with several seeds, or else from the split's size."""
    variance, freedom = _pooled(table)
    if freedom > 0:
        return Noise(math.sqrt(variance), freedom, "seeds")
    typical = float(arms["mean"].median())
    return Noise(math.sqrt(typical * (1 - typical) / int(table.environment["data"]["validation"])), math.inf, "images")


@functools.lru_cache(maxsize=2)
def _pooled(table: Table) -> tuple[float, float]:
    """Returns the variance of trials that share arm and phase, and its degrees of freedom: 0 where none do."""
    trials = pd.concat([table.phase("explore"), table.phase("confirm")])
    trials = trials[trials.duplicated(["arm", "phase"], keep=False)]  # single trials tell nothing, and may be thousands
    groups = trials.groupby(["arm", "phase"])["val_accuracy"]
    spread = pd.DataFrame({"freedom": groups.count() - 1, "variance": groups.var()})
    spread = spread[spread["freedom"] > 0]  # not by query(), whose first call takes long
    freedom = float(spread["freedom"].sum())
    return float((spread["variance"] * spread["freedom"]).sum()) / max(freedom, 1), freedom


def least_difference(scatter: Noise, seeds: float, others: float = 1) -> float:
    """Returns the difference of two means, of so many seeds each, that a two-sided test at 5% would call one."""
    quantile = float(stdtrit(min(scatter.freedom, 1e6), 0.975))
    return quantile * scatter.sd * math.sqrt(1 / seeds + 1 / others)


@dataclass(frozen=True)
class Inflation:
    """How much better than it is the best arm is expected to look: as a fraction, for ``arms`` of ``seeds`` each.

    ``sd`` is of one trial, without what a seed does to all arms; ``source`` is where it is from, as in :class:`Noise`.
    """

    arms: int
    seeds: int
    sd: float
    source: str
    expected: float


def inflation(table: Table, arms: pd.DataFrame) -> Inflation | None:
    """Returns the expected inflation of the best of the arms that were compared, had they all been equal."""
    measured = arms[(arms["n"] > 0) & arms["mean"].notna()]
    if len(measured) < 2 or table.main_phase != "explore":
        return None
    sd, source, seeds = _own_noise(table, measured), "seeds", int(measured["n"].median())
    if sd is None:
        scatter = noise(table, measured)
        sd, source = scatter.sd, scatter.source
    return Inflation(len(measured), seeds, sd, source, expected_inflation(len(measured), sd, max(seeds, 1)))


def _own_noise(table: Table, measured: pd.DataFrame) -> float | None:
    """Returns the SD of a trial that is left after arms and seeds, from the arms that have all seeds."""
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    if trials["seed"].nunique() < 2:
        return None
    wide = trials.pivot(index="seed", columns="arm", values="val_accuracy").reindex(columns=measured.index)
    wide = wide.dropna(axis=0, how="all").dropna(axis=1)
    seeds, arms = wide.shape
    if seeds < 2 or arms < 2:
        return None
    scores = wide.to_numpy(float)
    rest = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    return math.sqrt(float((rest**2).sum()) / ((arms - 1) * (seeds - 1)))


def on_front(table: Table, arms: pd.DataFrame) -> pd.Series:
    """Returns each arm's probability of being on the true Pareto front of accuracy against MACs, given its noise.

    From the means drawn together (:func:`reports.statistics.shrunken_means`) where at least four arms have at least two
    seeds; arms without all seeds, and all where there is one seed, from their own means with the noise of one trial.
    Missing where there are fewer than four arms, and for arms without a score.
    """
    measured = arms.dropna(subset=["mean", "macs"])
    if len(measured) < FEWEST_ARMS:
        return pd.Series(np.nan, index=arms.index)
    score = measured["mean"].copy()
    error = noise(table, measured).sd / np.sqrt(measured["n"].clip(lower=1))
    trials = table.phase(table.main_phase).drop_duplicates(["arm", "seed"])
    trials = trials[trials["arm"].isin(measured.index)]
    seeds = trials["seed"].nunique()
    if seeds > 1 and (trials.groupby("arm")["val_accuracy"].count() == seeds).sum() >= FEWEST_ARMS:
        shrunken = shrunken_means(trials, by="arm")
        score.loc[shrunken.index], error.loc[shrunken.index] = shrunken["shrunken"], shrunken["error"]
    kept = _contenders(measured["macs"], score, error)
    draws = 2000 if kept.sum() <= MANY_ARMS else 250
    likely = chances(score[kept], error[kept], measured["macs"][kept], draws=draws)["front"]
    return likely.reindex(measured.index, fill_value=0.0).reindex(arms.index)


def _contenders(cost: pd.Series, score: pd.Series, error: pd.Series) -> pd.Series:
    """Tells which arms could be on the front: not four standard errors of a difference below a cheaper one."""
    order, reach = np.argsort(cost.to_numpy(), kind="stable"), (error * 4 / math.sqrt(2)).to_numpy()
    low, high = (score - reach).to_numpy()[order], (score + reach).to_numpy()[order]
    kept = np.ones(len(cost), dtype=bool)
    kept[order[1:]] = high[1:] >= np.maximum.accumulate(low)[:-1]
    return pd.Series(kept, index=cost.index)


def bands(table: Table, arms: pd.DataFrame) -> pd.DataFrame:
    """Returns the best arm under each limit that the study names (``confirm.best_under``) and some arm meets; without
    any, under a few round ones of MACs, from an eighth of the range to all of it.

    Args:
        table: The run.
        arms: What :func:`reports.arms.fold` returned.

    Returns:
        One row a limit: ``cost`` (the name of what is limited), ``limit`` (infinite for the last), ``arm``, ``label``,
        ``has`` (what the arm has of that cost), ``macs``, ``mean``, ``n``, ``gain`` (over the baseline's mean),
        ``rivals`` (other arms within the limit that cannot be told from the best), ``rival`` (the cheapest of them, or
        none), ``next`` (the best of them, or none) and ``lead`` (over it).
    """
    cost, limits = _named(table, arms)
    measured = arms.assign(has=arms[cost]).dropna(subset=["mean", "has"])
    if measured.empty:
        return pd.DataFrame(columns=BAND)
    scatter = noise(table, measured)
    base = arms.at[table.baseline, "mean"]
    rows = []
    measured = measured[["label", "has", "macs", "mean", "n"]]
    measured = measured.sort_values(["mean", "has"], ascending=[False, True], kind="stable")
    met = [limit for limit in limits if (measured["has"] <= limit).any()]
    for limit in [*met, math.inf] if met or cost != "macs" else _limits(measured["macs"]):
        within = measured[measured["has"] <= limit]
        best = within.iloc[0]
        tellable = [least_difference(scatter, best["n"], n) for n in within["n"].unique()]
        threshold = within["n"].map(dict(zip(within["n"].unique(), tellable, strict=True)))
        rivals = within[(best["mean"] - within["mean"] < threshold) & (within.index != best.name)]
        rows.append({"cost": cost, "limit": limit, "arm": best.name, **best.to_dict()})
        rows[-1] |= {
            "gain": best["mean"] - base,
            "rivals": len(rivals),
            "rival": rivals["has"].idxmin() if len(rivals) else None,
            "next": rivals["mean"].idxmax() if len(rivals) else None,
            "lead": best["mean"] - rivals["mean"].max() if len(rivals) else np.nan,
        }
    return pd.DataFrame(rows)


def unmet(table: Table, arms: pd.DataFrame) -> pd.DataFrame:
    """Returns the limits that the study names (``confirm.best_under``) and no measured arm meets.

    Columns: ``cost``, ``limit``, and ``least``: what the arm has that has the least of that cost.
    """
    cost, limits = _named(table, arms)
    has = arms.loc[arms["mean"].notna(), cost].dropna()
    missed = [limit for limit in limits if len(has) and has.min() > limit]
    return pd.DataFrame({"cost": cost, "limit": missed, "least": has.min()}, columns=["cost", "limit", "least"])


def _named(table: Table, arms: pd.DataFrame) -> tuple[str, list[float]]:
    """Returns the cost that the study names limits of, and the limits, rising; MACs and none where it names none, or a
    time that was not measured of any arm."""
    wanted = (table.study.get("confirm") or {}).get("best_under")
    if wanted is None or wanted["cost"] not in arms or arms[wanted["cost"]].isna().all():
        return "macs", []
    return wanted["cost"], sorted(map(float, set(wanted["limits"])))


def _limits(macs: pd.Series) -> list[float]:
    """Returns at most four round limits (1, 2 or 5 times a power of ten) that each admit more arms, and no limit."""
    low, high = math.log10(macs.min()), math.log10(macs.max())
    steps = [digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for digit in (1, 2, 5)]
    inside = [step for step in steps if macs.min() <= step < macs.max()]
    chosen = (
        [inside[index] for index in np.unique(np.linspace(0, len(inside) - 1, 4).round().astype(int))] if inside else []
    )
    return [*chosen, math.inf]
