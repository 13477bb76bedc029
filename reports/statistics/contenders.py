"""How sure it is, given the noise of seeds, which arms are the best and which are on the Pareto front."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics.tidy import widen

CHUNK = 2_000_000  # drawn scores held at a time


def shrunken_means(table: pd.DataFrame, *, by: str, pair: str = "seed", value: str = "val_accuracy") -> pd.DataFrame:
    """Returns the arms' means drawn together by as much as their noise calls for, so that the best are not overstated.

    James and Stein's estimator towards the grand mean (Efron and Morris 1975; Morris 1983): grand + B (mean - grand),
    B = 1 - (k - 3)/(k - 1) MS_rest / MS_arms, at least 0, over the k arms that have all their seeds; MS_rest is what is
    left after arms and seeds. The error is the posterior's: sqrt(B MS_rest / seeds + the part for the grand mean and
    for B not being known, after Morris). It assumes arms of one kind, about normal around one mean; ``mean`` is
    unbiased for one arm, ``shrunken`` is closer over all, and for the one that was picked for being the best.

    Args:
        table: One row a measurement.
        by: The column that names arms.
        pair: The column that tells the seeds apart.
        value: The column that was measured.

    Returns:
        One row an arm that has all seeds, indexed by arm: ``mean``, ``shrunken``, ``error`` (of ``shrunken``),
        ``noise`` (standard error of ``mean``, without what seeds do to all arms), ``kept`` (B, the same for all).

    Raises:
        ValueError: If the table is not in order, or fewer than four arms or two seeds are complete.
    """
    wide = widen(table, by=by, pair=pair, value=value).dropna(axis=1)
    seeds, arms = wide.shape
    if arms < 4 or seeds < 2:
        raise ValueError(f"at least 4 arms with all of at least 2 seeds are wanted, not {arms} with {seeds}")
    scores = wide.to_numpy(float)
    mean, grand = scores.mean(axis=0), scores.mean()
    rest = scores - mean - scores.mean(axis=1, keepdims=True) + grand
    noise = float((rest**2).sum()) / ((arms - 1) * (seeds - 1)) / seeds
    spread = float(((mean - grand) ** 2).sum()) / (arms - 1)
    kept = max(0.0, 1 - (arms - 3) / (arms - 1) * noise / spread) if spread > 0 else 0.0
    unknown = 2 / (arms - 3) * ((1 - kept) * (mean - grand)) ** 2
    error = np.sqrt(noise * (1 - (arms - 1) / arms * (1 - kept)) + unknown)
    columns = {"mean": mean, "shrunken": grand + kept * (mean - grand), "error": error}
    return pd.DataFrame(columns, index=wide.columns).assign(noise=np.sqrt(noise), kept=kept)


def chances(
    score: pd.Series,
    error: pd.Series | float,
    cost: pd.Series,
    *,
    limit: float | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Returns each arm's probability of being on the Pareto front, and of being the best within a limit of cost.

    True scores are drawn from normals around the estimates, many times over, and the front and the best are found anew
    each time. Not a bootstrap of seeds, which three to ten seeds don't allow. Give it the ``shrunken`` means and their
    errors of :func:`shrunken_means`: around raw means, arms that were lucky look certain.

    Args:
        score: Estimated scores, higher being better, indexed by arm; arms without one have no chance.
        error: Their standard errors, leaving out what moves all arms together.
        cost: Costs, lower being better.
        limit: The most that the best may cost; by default no limit.
        draws: How often scores are drawn; a probability is known to ± 1 / sqrt(draws).
        seed: Of the draws.

    Returns:
        Indexed like ``score``: ``front`` and ``best``, the latter 0 above the limit. A point is on the front if no
        other costs at most as much and scores higher, or costs less and scores the same.

    Raises:
        ValueError: If an error is negative, or there are no draws.
    """
    frame = pd.DataFrame({"score": score, "cost": cost.reindex(score.index)}).assign(error=error)
    if draws < 1 or (frame["error"] < 0).any():
        raise ValueError("at least one draw, and errors of at least 0, are wanted")
    known = frame.dropna().sort_values("cost", kind="stable")
    front, best = _counted(known, np.inf if limit is None else limit, draws, np.random.default_rng(seed))
    result = pd.DataFrame({"front": front / draws, "best": best / draws}, index=known.index)
    return result.reindex(score.index, fill_value=0.0)


def _counted(
    known: pd.DataFrame, limit: float, draws: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts in how many draws each arm, in order of cost, is on the front, and is the best within the limit."""
    arms = len(known)
    front, best = np.zeros(arms), np.zeros(arms)
    if not arms:
        return front, best
    cost, score, error = (known[name].to_numpy(float) for name in ("cost", "score", "error"))
    starts = np.flatnonzero(np.r_[True, np.diff(cost) > 0])
    group = np.cumsum(np.r_[False, np.diff(cost) > 0])
    within = int((cost <= limit).sum())
    for start in range(0, draws, max(1, CHUNK // arms)):
        width = min(max(1, CHUNK // arms), draws - start)
        drawn = score + error * random.standard_normal((width, arms))
        of_group = np.maximum.reduceat(drawn, starts, axis=1)
        cheaper = np.maximum.accumulate(of_group, axis=1)
        cheaper = np.hstack([np.full((width, 1), -np.inf), cheaper[:, :-1]])
        front += ((drawn > cheaper[:, group]) & (drawn == of_group[:, group])).sum(axis=0)
        if within:
            best += np.bincount(drawn[:, :within].argmax(axis=1), minlength=arms)
    return front, best
