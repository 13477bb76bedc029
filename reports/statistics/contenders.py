"""How sure it is, given the noise of seeds, which arms are the best and which are on the Pareto front."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics.numbers import Numbers, series

CHUNK = 250_000  # drawn scores held at a time: as many as a processor keeps near


def chances(
    score: Numbers,
    error: Numbers,
    cost: Numbers,
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
        ValueError: If something is no number, they are not equally many, an error is negative, or there are no draws.
    """
    score = series(score, "score")
    cost, error = series(cost, "cost", score.index), series(error, "error", score.index)
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
    score, error = (known[name].to_numpy(np.float32)[:, None] for name in ("score", "error"))  # noise needs no more
    starts = np.flatnonzero(np.r_[True, np.diff(cost) > 0])
    group = np.cumsum(np.r_[False, np.diff(cost) > 0])
    within = int((cost <= limit).sum())
    for start in range(0, draws, max(1, CHUNK // arms)):
        width = min(max(1, CHUNK // arms), draws - start)
        drawn = random.standard_normal((arms, width), dtype=np.float32)
        drawn *= error
        drawn += score
        front += _unbeaten(drawn, starts, group).sum(axis=1)
        if within:
            best += np.bincount(drawn[:within].argmax(axis=0), minlength=arms)
    return front, best


def _unbeaten(drawn: NDArray[np.float32], starts: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tells in which draws each arm beats all that cost less, and is the best of those that cost the same."""
    every = len(starts) == len(drawn)  # has a cost of its own
    of_group = drawn if every else np.maximum.reduceat(drawn, starts, axis=0)
    cheaper = np.maximum.accumulate(of_group, axis=0)[:-1]
    unbeaten = np.vstack([np.ones_like(drawn[:1], dtype=bool), of_group[1:] > cheaper])
    return unbeaten if every else unbeaten[group] & (drawn == of_group[group])
