"""Means drawn together by as much as their noise calls for, so that the best are not overstated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from reports.statistics.tidy import widen


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
    scores = _complete(table, by, pair, value, arms=4, seeds=2)
    arms, mean = scores.shape[1], scores.mean(axis=0)
    grand = float(mean.mean())
    noise = _rest(scores) / ((arms - 1) * (len(scores) - 1)) / len(scores)
    kept = _kept(mean, noise)
    unknown = 2 / (arms - 3) * ((1 - kept) * (mean - grand)) ** 2
    error = np.sqrt(noise * (1 - (arms - 1) / arms * (1 - kept)) + unknown)
    frame = pd.DataFrame({"mean": mean, "shrunken": grand + kept * (mean - grand), "error": error})
    return frame.assign(noise=np.sqrt(noise), kept=kept)


def confirmed_means(
    selected: pd.DataFrame, confirmed: pd.DataFrame, *, by: str, pair: str = "seed", value: str = "val_accuracy"
) -> pd.DataFrame:
    """Returns what the finalists are worth, by the phase that chose them and by their fresh seeds together.

    The best of several finalists overstates itself again, by its luck on the fresh seeds: of five equal ones by half a
    standard deviation of a trial, at five seeds. A posterior mean does not: how arms were chosen no longer matters once
    all that it was done by is given its weight (Dawid 1994, "Selection paradoxes of Bayesian inference"; Senn 2008).
    Here the prior is estimated from all arms of the first phase, as in :func:`shrunken_means`, and noise from both:

    first = grand + B (mean1 - grand), with variance v = B noise / seeds1; worth = offset + first +
    v / (v + noise / seeds2) (mean2 - offset - first), where the offset, the mean of mean2 - first, is what the second
    phase (another recipe, other seeds) does to all arms. It assumes that arms keep their differences from one phase to
    the other.

    Args:
        selected: All measurements of the first phase, of chosen arms and others.
        confirmed: Measurements of the chosen arms on other seeds.
        by: The column that names arms.
        pair: The column that tells the seeds apart.
        value: The column that was measured.

    Returns:
        One row an arm that has all seeds of both phases, indexed by arm: ``selected`` and ``confirmed`` (raw means),
        ``shrunken``, ``error``, ``low`` and ``high`` (its 95% interval, with what the second phase's seeds do to all
        arms: of t, with the degrees of freedom of the two parts together, after Satterthwaite 1946, since the second
        phase has few seeds).

    Raises:
        ValueError: If the tables are not in order, fewer than four arms are complete in the first phase or two in both,
            the second has one seed, or a seed is in both.
    """
    first = _complete(selected, by, pair, value, arms=4, seeds=1)
    again = sorted(set(selected[pair]) & set(confirmed[pair]))
    if again:
        raise ValueError(f"{pair} {again[0]} is in both tables: what was selected on can't confirm")
    second = _complete(confirmed[confirmed[by].isin(first.columns)], by, pair, value, arms=2, seeds=2)
    finalists, seeds = second.shape[1], len(second)
    degrees = (first.shape[1] - 1) * (len(first) - 1) + (finalists - 1) * (seeds - 1)
    noise = (_rest(first) + _rest(second)) / degrees
    prior = first.mean(axis=0)
    kept = _kept(prior, noise / len(first))
    expected = prior.mean() + kept * (prior[second.columns] - prior.mean())
    seen = second.mean(axis=0)
    offset = float((seen - expected).mean())
    known, fresh = kept * noise / len(first), noise / seeds
    weight = known / (known + fresh) if known > 0 else 0.0
    worth = offset + expected + weight * (seen - offset - expected)
    of_seeds = max(0.0, float(second.mean(axis=1).var(ddof=1)) - noise / finalists) / seeds
    own = weight * fresh + (1 - weight) ** 2 * (fresh + known) / finalists
    error = np.sqrt(own + of_seeds)
    scatter = own**2 / degrees + of_seeds**2 / (seeds - 1)
    half = error * stdtrit(error**4 / scatter, 0.975) if scatter > 0 else 0.0  # without noise nothing is unknown
    frame = pd.DataFrame({"selected": prior[second.columns], "confirmed": seen, "shrunken": worth})
    return frame.assign(error=error, low=worth - half, high=worth + half)


def _complete(table: pd.DataFrame, by: str, pair: str, value: str, *, arms: int, seeds: int) -> pd.DataFrame:
    wide = widen(table, by=by, pair=pair, value=value).dropna(axis=1)
    if wide.shape[1] < arms or len(wide) < seeds:
        found = f"{wide.shape[1]} with {len(wide)}"
        raise ValueError(f"at least {arms} arms with all of at least {seeds} seeds are wanted, not {found}")
    return wide


def _rest(scores: pd.DataFrame) -> float:
    """Returns the sum of squares that arms and seeds leave."""
    plain = scores.to_numpy(float)
    rest = plain - plain.mean(axis=0) - plain.mean(axis=1, keepdims=True) + plain.mean()
    return float((rest**2).sum())


def _kept(mean: pd.Series, noise: float) -> float:
    """Returns how much of the distance from the grand mean is not noise: James and Stein's, at least 0."""
    spread = float(mean.var(ddof=1))
    return max(0.0, 1 - (len(mean) - 3) / (len(mean) - 1) * noise / spread) if spread > 0 else 0.0
