"""How much of the scatter of accuracy over arms each factor accounts for.

The estimator is the analysis of variance by least squares: each factor's share is what the fit loses without it, every
level of a factor a term of its own, numbers with many levels cut into five bins of equal counts. Interactions are what
all pairs of factors add together. In a full factorial this is the classical decomposition, and exact. A forest would
need an import that takes longer than the rest of the page.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from reports.arms import fold
from reports.changes import together
from reports.lost import lost
from reports.table import Table
from reports.trends import numeric

KINDS = ("factorial", "search", "population")
BINS, MOST_LEVELS, LEAST_ARMS, LEAST_RATIO, PARTS, MOST_PAIR_TERMS = 5, 8, 12, 3, 20, 150
INTERACTIONS, REST = "pairs of factors together", "unexplained"
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of accuracy over arms.

    Attributes:
        shares: One row a factor, largest first, then what pairs add, then the rest: factor, share, low, high.
        arms: Arms that it is of.
        spread: What low and high come from: "seeds" (lowest and highest over the seeds, each taken alone), "arms" (a
            95% interval by the jackknife over twenty groups of arms), or "" where there is neither.
        adaptive: Whether a sampler chose the arms after seeing others.
    """

    shares: pd.DataFrame
    arms: int
    spread: str
    adaptive: bool


@functools.lru_cache(maxsize=2)
def importance(table: Table) -> Importance | None:
    """Returns the importance of each factor; None where there are too few arms or factors for it.

    A factorial has it from four arms on; arms that were drawn or proposed must be twelve, and thrice the terms.
    """
    if table.design.kind not in KINDS or (table.design.fraction or {}).get("kind", "full") != "full":
        return None
    arms = fold(table)
    arms = arms[arms.index.isin(table.cells) & arms["mean"].notna()]
    if table.design.kind == "factorial":
        arms = arms[~arms.index.isin(list(lost(table)))]
    terms = _terms(table, arms.index)
    whole = table.design.kind == "factorial"
    size = 1 + sum(term.shape[1] for term in terms.values())
    if len(terms) < 2 or len(arms) < (4 if whole else max(LEAST_ARMS, LEAST_RATIO * size)):
        return None
    least = 1 if whole else LEAST_RATIO
    coded = _coded(terms, arms["mean"].to_numpy())
    parts = [part.T @ part for part in (coded[place::PARTS] for place in range(PARTS))]
    shares = _shares(np.sum(parts, axis=0), _places(terms), least)
    if shares is None:
        return None
    low, high, spread = _spread(table, arms, terms, parts, shares, least)
    frame = pd.DataFrame({"share": shares, "low": low, "high": high}).rename_axis("factor").reset_index()
    rank = frame["share"].where(frame["factor"] != INTERACTIONS, -1.0).where(frame["factor"] != REST, -2.0)
    frame = frame.loc[rank.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    return Importance(frame, len(arms), spread, table.design.kind == "search")


def _terms(table: Table, arms: pd.Index) -> dict[str, Matrix]:
    """Returns each factor that varies as indicators of its levels, all but one, less their means."""
    made = {}
    for group in together(table):
        levels = table.levels.loc[arms, group[0]]
        numbers = numeric(levels)
        if numbers is not None and numbers.nunique() > MOST_LEVELS:
            cut = pd.qcut(numbers, BINS, labels=False, duplicates="drop")
            levels = cut.where(cut.notna(), -1)
        codes = pd.factorize(levels, use_na_sentinel=False)[0]  # a factor that doesn't apply has a level of its own
        coded = (codes[:, None] == np.arange(1, codes.max(initial=0) + 1)).astype(np.float64)
        if coded.shape[1]:
            made[" and ".join(group)] = coded - coded.mean(axis=0)
    return made


def _places(terms: Mapping[str, Matrix]) -> dict[str, list[int]]:
    """Returns the columns of each factor, and of their pairs together, among those of :func:`_coded`."""
    places, start = {}, 1
    for name, term in terms.items():
        places[name] = list(range(start, start + term.shape[1]))
        start += term.shape[1]
    wide = sum(one.shape[1] * other.shape[1] for one, other in combinations(terms.values(), 2))
    return {**places, INTERACTIONS: list(range(start, start + wide))}


def _coded(terms: Mapping[str, Matrix], score: Matrix) -> Matrix:
    """Returns a constant, the factors, their pairs unless they are too many to fit, and the score, side by side."""
    columns = [np.ones((len(score), 1)), *terms.values()]
    places = _places(terms)
    if sum(map(len, places.values())) <= MOST_PAIR_TERMS:
        columns += [_product(one, other) for one, other in combinations(terms.values(), 2)]
    return np.hstack([*columns, (score - score.mean())[:, None]])


def _moments(terms: Mapping[str, Matrix], score: Matrix) -> Matrix:
    """Returns the sums of products of all columns, from which every fit follows."""
    coded = _coded(terms, score)
    return np.asarray(coded.T @ coded)


def _shares(moments: Matrix, places: Mapping[str, list[int]], least: int) -> dict[str, float] | None:
    """Returns each factor's share of the variance, what pairs add, and the rest.

    Pairs are fitted where there are ``least`` times as many arms as terms.
    """
    arms = moments[0, 0]
    about_means = moments - np.outer(moments[0], moments[0]) / arms
    total = float(about_means[-1, -1])
    if total <= 1e-18:
        return None
    factors = {name: columns for name, columns in places.items() if name != INTERACTIONS}
    additive = [column for columns in factors.values() for column in columns]
    explained = _explained(about_means, additive)
    shares = {}  # what the fit loses without the factor
    for name, own in factors.items():
        rest = [column for column in additive if column not in own]
        shares[name] = max(explained - _explained(about_means, rest), 0) / total
    size = len(additive) + len(places[INTERACTIONS])
    known = explained
    if size <= MOST_PAIR_TERMS and arms - 1 >= least * size:
        known = _explained(about_means, [*additive, *places[INTERACTIONS]])
        shares[INTERACTIONS] = max(known - explained, 0) / total
    shares[REST] = max(total - known, 0) / total
    return shares


def _explained(about_means: Matrix, columns: list[int]) -> float:
    """Returns the sum of squares of the score that the columns account for, beside a constant."""
    if not columns:
        return 0.0
    inner, cross = about_means[np.ix_(columns, columns)], about_means[columns, -1]
    try:
        root = np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:  # columns that follow from others
        root = np.zeros_like(inner)
    if root.diagonal().min() > 1e-5 * root.diagonal().max():
        return float((np.linalg.solve(root, cross) ** 2).sum())
    return float(cross @ np.linalg.pinv(inner, rcond=1e-10, hermitian=True) @ cross)


def _product(one: Matrix, other: Matrix) -> Matrix:
    return np.asarray((one[:, :, None] * other[:, None, :]).reshape(len(one), -1))


def _spread(
    table: Table,
    arms: pd.DataFrame,
    terms: Mapping[str, Matrix],
    parts: Sequence[Matrix],
    shares: Mapping[str, float],
    least: int,
) -> tuple[pd.Series, pd.Series, str]:
    """Returns the ends of each share and their source; ``parts`` are the moments of each twentieth of the arms."""
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    several = trials["seed"].nunique() > 1
    wide = trials.pivot(index="seed", columns="arm", values="val_accuracy") if several else pd.DataFrame()
    whole = wide.reindex(columns=arms.index).dropna()
    if len(whole) >= 2:
        places = _places(terms)
        every = [_shares(_moments(terms, row), places, least) for row in whole.to_numpy()]
        own = pd.DataFrame([row for row in every if row is not None])
        return own.min(), own.max(), "seeds"
    if len(arms) < 3 * PARTS:
        return pd.Series(dtype=float), pd.Series(dtype=float), ""
    whole_moments = np.sum(parts, axis=0)  # without a part they are these less the part's own
    every = [_shares(whole_moments - part, _places(terms), least) for part in parts]
    own = pd.DataFrame([row for row in every if row is not None])
    error = np.sqrt((PARTS - 1) / PARTS * ((own - own.mean()) ** 2).sum())
    half = float(stdtrit(PARTS - 1, 0.975)) * error
    centre = pd.Series(shares)
    return (centre - half).clip(0, 1), (centre + half).clip(0, 1), "arms"
