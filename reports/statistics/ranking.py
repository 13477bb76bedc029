"""Whether short runs put arms in the order that full runs do."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from reports.statistics.numbers import Numbers, series

Floats = NDArray[np.float64]
TAUS = np.linspace(-1, 1, 4001)
FEWEST_ARMS = 5
ENOUGH = 0.5


@dataclass(frozen=True)
class RankAgreement:
    """Agreement of two rankings of the same arms.

    Attributes:
        tau: Kendall's tau-b: 1 for the same order, 0 for none in common, -1 for the reverse. Missing where one of the
            scores doesn't vary.
        low: Lower end of its 95% interval.
        high: Its upper end.
        p: Two-sided, against no agreement.
        arms: Arms with both scores.
        reversed: The share of pairs of arms, of those that differ in both scores, that the two put in opposite order.
        trusted: Whether the short ranking may stand for the full one: tau is at least .5 (of four pairs of arms three
            are in the same order), and its interval lies above 0.
        reason: Why it may, or not, in a sentence.
    """

    tau: float
    low: float
    high: float
    p: float
    arms: int
    reversed: float
    trusted: bool
    reason: str


def rank_agreement(short: Numbers, full: Numbers) -> RankAgreement:
    """Compares the ranking of arms by short runs with that by full runs.

    The interval is the wider, at each end, of two. One is Cliff's (1996, "Ordinal Methods for Behavioral Data
    Analysis", chapter 3): tau ± t(arms - 2) times a standard error estimated from how each arm's own agreement varies.
    It supposes nothing of the scores, and fails where almost all pairs agree and nothing varies. The other holds every
    tau that is within 1.96 standard errors, by the variance that tau has under a normal copula (Esscher 1924) at that
    tau. It holds up to tau = 1, and fails where scores come in clumps. (Fieller's interval, 1957, covers down to 82% at
    a tau of .8.) tests.benchmarks.statistics measures how it covers for 8 to 30 arms. Ties are as in tau-b.

    Args:
        short: Scores after short runs, one an arm: a series or a mapping by arm, or a list in the order of ``full``.
            Arms that lack either score are left out.
        full: Scores after full runs, likewise.

    Raises:
        ValueError: If a score is no number or infinite, an arm is there twice, or two lists are not equally long.
    """
    from scipy.stats import kendalltau

    short, full = series(short, "short scores"), series(full, "full scores")
    if len(short) != len(full) and all(isinstance(each.index, pd.RangeIndex) for each in (short, full)):
        raise ValueError(f"{len(short)} short scores and {len(full)} full ones: they belong to the same arms, in order")

    if short.index.has_duplicates or full.index.has_duplicates:
        raise ValueError("an arm has more than one score")
    both = pd.DataFrame({"short": short, "full": full}).dropna()
    if np.isinf(both.to_numpy(float)).any():
        raise ValueError("a score is infinite")
    arms = len(both)
    if arms < FEWEST_ARMS:
        reason = f"{arms} {'arm' if arms == 1 else 'arms'} with both scores: at least {FEWEST_ARMS} are needed to tell"
        return RankAgreement(np.nan, np.nan, np.nan, np.nan, arms, np.nan, False, reason)
    if both["short"].nunique() == 1 or both["full"].nunique() == 1:
        reason = "all arms have the same score"
        return RankAgreement(np.nan, np.nan, np.nan, np.nan, arms, np.nan, False, reason)
    p = float(kendalltau(both["short"], both["full"]).pvalue)
    signs = _signs(both["short"].to_numpy(float)), _signs(both["full"].to_numpy(float))
    tau, low, high = _interval(*signs)
    differing = np.count_nonzero(signs[0] * signs[1])
    turned = float((signs[0] * signs[1] < 0).sum() / differing) if differing else np.nan
    trusted = tau >= ENOUGH and low > 0
    return RankAgreement(tau, low, high, p, arms, turned, trusted, _reason(tau, low, high, arms))


def _signs(scores: Floats) -> Floats:
    """Returns arms x arms: which of two arms is ahead."""
    return np.sign(scores[:, None] - scores[None, :])


def _interval(one: Floats, other: Floats) -> tuple[float, float, float]:
    """Returns tau-b with its interval, from who is ahead of whom."""
    arms = len(one)
    product = one * other / np.sqrt((one**2).sum() * (other**2).sum()) * arms * (arms - 1)
    tau = float(product.sum() / (arms * (arms - 1)))
    own = product.sum(axis=1) / (arms - 1)
    scatter = ((own - tau) ** 2).sum() / (arms - 1)
    rest = (product**2).sum() / (arms * (arms - 1)) - tau**2
    half = stdtrit(arms - 2, 0.975) * np.sqrt(max(4 * (arms - 2) * scatter + 2 * rest, 0) / (arms * (arms - 1)))
    # Under a normal copula: tau = 2/pi asin(rho), and its variance by Esscher.
    within = np.abs(tau - TAUS) <= 1.959963984540054 * np.sqrt(_esscher(arms))
    low, high = min(tau, float(TAUS[within].min())), max(tau, float(TAUS[within].max()))
    return tau, max(-1.0, min(low, tau - half)), min(1.0, max(high, tau + half))


@functools.cache
def _esscher(arms: int) -> Floats:
    """Returns the variance of tau over so many arms, at each of TAUS."""
    half_asin = np.arcsin(np.sin(np.pi / 2 * TAUS) / 2)
    single = 1 / 9 - (2 / np.pi * half_asin) ** 2
    variance: Floats = 2 / (arms * (arms - 1)) * (1 - TAUS**2 + 2 * (arms - 2) * single)
    return variance.clip(min=0)


def _reason(tau: float, low: float, high: float, arms: int) -> str:
    seen = f"Kendall’s tau is {tau:.2f} [{low:.2f}, {high:.2f}] over {arms} arms".replace("-", "−")
    if tau < ENOUGH:
        return f"{seen}: short runs put too many arms in another order"
    if low <= 0:
        return f"{seen}: too few arms to rule out that the order is by chance"
    return seen
