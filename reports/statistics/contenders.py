"""How sure it is, given the noise of seeds, which arms are the best and which are on the Pareto front."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CHUNK = 2_000_000  # drawn scores held at a time


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
    errors of :func:`~reports.statistics.shrunken_means`: around raw means, arms that were lucky look certain.

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
    cost = known["cost"].to_numpy(float)
    score, error = (known[name].to_numpy(np.float32) for name in ("score", "error"))  # noise needs no more digits
    starts = np.flatnonzero(np.r_[True, np.diff(cost) > 0])
    group = np.cumsum(np.r_[False, np.diff(cost) > 0])
    within = int((cost <= limit).sum())
    for start in range(0, draws, max(1, CHUNK // arms)):
        width = min(max(1, CHUNK // arms), draws - start)
        drawn = random.standard_normal((width, arms), dtype=np.float32)
        drawn *= error
        drawn += score
        of_group = np.maximum.reduceat(drawn, starts, axis=1)
        cheaper = np.maximum.accumulate(of_group, axis=1)
        cheaper = np.hstack([np.full((width, 1), -np.inf, dtype=np.float32), cheaper[:, :-1]])
        front += ((drawn > cheaper[:, group]) & (drawn == of_group[:, group])).sum(axis=0)
        if within:
            best += np.bincount(drawn[:, :within].argmax(axis=1), minlength=arms)
    return front, best
