"""What choosing the best does to its score, and what is left of it on fresh seeds."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, stdtr, stdtrit

from reports.statistics.tidy import widen


def expected_inflation(arms: int, sd: float, seeds: int = 1, correlation: float = 0.0) -> float:
    """Returns by how much the best mean of equal arms is expected to overstate what its arm is worth.

    sd sqrt((1 - correlation) / seeds) E[max of ``arms`` standard normals]. Arms are never equal in truth, so it is the
    most that selection alone can do. Noise that seeds share lifts all arms alike and chooses none of them.

    Args:
        arms: Arms to choose from.
        sd: Standard deviation of one trial's score over seeds.
        seeds: Trials in each arm's mean.
        correlation: Of the scores of two arms at the same seed; 0 where seeds are not shared.

    Raises:
        ValueError: If there is no arm or seed, sd is negative, or the correlation is not between 0 and 1.
    """
    if arms < 1 or seeds < 1:
        raise ValueError(f"at least one arm and one seed are wanted, not {arms} and {seeds}")
    if not 0 <= sd < np.inf or not 0 <= correlation <= 1:
        raise ValueError(f"an sd of at least 0 and a correlation from 0 to 1 are wanted, not {sd} and {correlation}")
    return float(sd * np.sqrt((1 - correlation) / seeds) * _expected_maximum(arms))


def shrinkage(
    selected: pd.DataFrame,
    confirmed: pd.DataFrame,
    *,
    by: str,
    baseline: Hashable | None = None,
    pair: str = "seed",
    value: str = "val_accuracy",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compares what the chosen arms scored when they were chosen with what they score on fresh seeds.

    The difference of two means over separate seeds, with Welch's interval (Welch 1947), as phases may scatter
    differently. With a baseline it is the gains over it, seed by seed, that are compared: then a longer recipe in the
    second phase is no shrinkage.

    Args:
        selected: The measurements that the choice was made by; arms that were not chosen are left aside.
        confirmed: Measurements of the chosen arms, and of the baseline, on other seeds.
        by: The column that names arms.
        baseline: The arm whose scores are taken off first; by default none.
        pair: The column that tells the seeds apart.
        value: The column that was measured.
        confidence: Of the intervals.

    Returns:
        One row a chosen arm in both tables, indexed by arm, and at last a row named None for their mean: ``selected``,
        ``confirmed``, ``shrinkage`` (the first less the second), ``low``, ``high``, ``p``, ``selected_n``,
        ``confirmed_n``.

    Raises:
        ValueError: If a table lacks a column or the baseline, or a seed is in both.
    """
    before, after = (_gains(table, by, pair, value, baseline) for table in (selected, confirmed))
    again = before.index.intersection(after.index)
    if len(again):
        raise ValueError(f"{pair} {again[0]} is in both tables: what was selected on can't confirm")
    chosen = [arm for arm in before.columns if arm in after.columns]
    # The mean over arms is taken within each seed, since arms at the same seed go up and down together.
    one, other = (_moments(phase[chosen], phase[chosen].mean(axis=1, skipna=False)) for phase in (before, after))
    return _welch(one, other, confidence)


def _gains(table: pd.DataFrame, by: str, pair: str, value: str, baseline: Hashable | None) -> pd.DataFrame:
    wide = widen(table, by=by, pair=pair, value=value)
    if baseline is None:
        return wide
    if baseline not in wide.columns:
        raise ValueError(f"the baseline {baseline!r} is not in the column {by!r}")
    return wide.drop(columns=[baseline]).sub(wide[baseline], axis=0)


def _moments(arms: pd.DataFrame, together: pd.Series) -> pd.DataFrame:
    """Returns n, mean and variance of each arm over seeds, and of the mean of all under None."""
    every = [*arms.columns, None]
    columns = [*(arms[arm] for arm in arms.columns), together]
    rows = [(column.count(), column.mean(), column.var(ddof=1)) for column in columns]
    return pd.DataFrame(rows, index=pd.Index(every, dtype=object, name="arm"), columns=["n", "mean", "variance"])


def _welch(before: pd.DataFrame, after: pd.DataFrame, confidence: float) -> pd.DataFrame:
    one, other = before["variance"] / before["n"], after["variance"] / after["n"]
    error = np.sqrt(one + other).where(one + other > 0)
    freedom = (one + other) ** 2 / (one**2 / (before["n"] - 1) + other**2 / (after["n"] - 1))
    lost = before["mean"] - after["mean"]
    half = stdtrit(freedom, (1 + confidence) / 2) * error
    return pd.DataFrame(
        {
            "selected": before["mean"],
            "confirmed": after["mean"],
            "shrinkage": lost,
            "low": lost - half,
            "high": lost + half,
            "p": 2 * stdtr(freedom, -(lost / error).abs()),
            "selected_n": before["n"],
            "confirmed_n": after["n"],
        }
    )


def _expected_maximum(count: int) -> float:
    """Returns the mean of the largest of so many standard normals, by integrating over its distribution."""
    x = np.linspace(-10, 10, 8001)
    density = count * np.exp((count - 1) * log_ndtr(x) - x**2 / 2) / np.sqrt(2 * np.pi)
    return float((x * density).sum() * (x[1] - x[0]))
