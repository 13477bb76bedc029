"""The two errors that a factorial effect can be held against: its own scatter over seeds, or one pooled residual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtrit

from reports.statistics.coding import Floats, Term
from reports.statistics.pairing import ROUNDING, assess, paired

NEGLIGIBLE = 1e-18  # of a sum of squares: what rounding leaves of differences that don't vary
Tables = tuple[pd.DataFrame, pd.DataFrame]


def against_own(
    wide: pd.DataFrame, terms: Sequence[Term], *, planned: int, family: int | None, margin: float | None
) -> Tables:
    """Fits the model within each seed, and tests what comes out over seeds.

    A term of several degrees of freedom is tested by F = MS / MS of its interaction with the seed, which is the
    analysis of variance for repeated measures; its degrees of freedom are multiplied by Greenhouse and Geisser's
    (1959) epsilon, so that its contrasts need not scatter alike.

    Args:
        wide: Seeds x arms, missing where not measured.
        terms: Those of the model, which can be estimated together.
        planned: Seeds planned.
        family: Of Holm's correction.
        margin: Of equivalence.

    Returns:
        The contrasts and the terms, as in :class:`~reports.statistics.Factorial`.
    """
    scores = wide.to_numpy(float)
    inverse: Floats = np.linalg.pinv(_model(terms)).astype(float)
    contrasts, tests = [], []
    for term, place in _places(terms):
        contrasts.append(_weighted(scores, term.contrasts() @ inverse[place]))
        tests.append(_own_test(scores, inverse[place]))
    differences = pd.DataFrame(np.hstack(contrasts), index=wide.index)
    judged = paired(differences, planned=planned, family=family, margin=margin)
    return _steps(terms).join(judged), _tests(terms, tests)


def against_pooled(
    wide: pd.DataFrame, terms: Sequence[Term], *, planned: int, family: int | None, margin: float | None
) -> Tables:
    """Fits one model to all seeds, each with a level of its own, by ordinary least squares.

    Arguments and results as in :func:`against_own`. Arms that lack a seed count in the others; ``pairs`` are the seeds
    that have all arms.
    """
    from statsmodels.regression.linear_model import OLS

    scores = wide.to_numpy(float)
    seeds, arms = np.nonzero(~np.isnan(scores))
    blocks = np.eye(len(wide))[seeds]
    blocks = blocks[:, blocks.any(axis=0)]
    fit = OLS(scores[seeds, arms], np.hstack([blocks, _model(terms)[arms, 1:]])).fit()
    shift = blocks.shape[1] - 1
    contrasts, tests = [], []
    for term, place in _places(terms):
        rows = np.zeros((place.stop - place.start, len(fit.params)))
        rows[:, place.start + shift : place.stop + shift] = np.eye(len(rows))
        contrasts.append(term.contrasts() @ rows)
        tests.append(_pooled_test(fit, rows))
    return _steps(terms).join(_pooled(fit, np.vstack(contrasts), scores, planned, family, margin)), _tests(terms, tests)


def _pooled(
    fit: Any, rows: Floats, scores: Floats, planned: int, family: int | None, margin: float | None
) -> pd.DataFrame:
    certain = fit.df_resid > 0 and fit.ssr > NEGLIGIBLE * (scores[~np.isnan(scores)] ** 2).sum()
    variance = np.einsum("ij,jk,ik->i", rows, np.asarray(fit.cov_params()), rows)
    error = pd.Series(np.sqrt(variance) if certain else np.nan, index=range(len(rows)))
    frame = pd.DataFrame({"effect": rows @ np.asarray(fit.params)}, index=error.index)
    half = error * float(stdtrit(fit.df_resid if certain else np.nan, 0.975))
    pairs = int((~np.isnan(scores)).all(axis=1).sum())
    frame = frame.assign(low=frame["effect"] - half, high=frame["effect"] + half)
    frame = frame.assign(sd=error * np.sqrt(pairs), pairs=pairs, planned=planned)
    freedom = pd.Series(fit.df_resid if certain else np.nan, index=error.index)
    return assess(frame, error, freedom, family=family, margin=margin)


def _pooled_test(fit: Any, rows: Floats) -> dict[str, float]:
    if fit.df_resid <= 0:
        return {"freedom": len(rows), "error_freedom": fit.df_resid}
    test = fit.f_test(rows)
    f = float(test.fvalue)
    return {
        "f": f,
        "freedom": len(rows),
        "error_freedom": fit.df_resid,
        "epsilon": 1.0,
        "p": float(test.pvalue),
        "eta_squared": f * len(rows) / (f * len(rows) + fit.df_resid),
    }


def _own_test(scores: Floats, solver: Floats) -> dict[str, float]:
    """Tests whether a term's coefficients, fitted within each seed, are all zero on average."""
    inside = _weighted(scores, solver)
    inside = inside[~np.isnan(inside).any(axis=1)]  # seeds x freedom
    seeds, freedom = inside.shape
    result = {"freedom": float(freedom), "error_freedom": float(freedom * (seeds - 1))}
    if seeds < 2:
        return result
    white = inside @ np.linalg.inv(np.linalg.cholesky(solver @ solver.T)).T
    explained = seeds * float((white.mean(axis=0) ** 2).sum())
    scatter = np.cov(white, rowvar=False).reshape(freedom, freedom)
    left = float(np.trace(scatter)) * (seeds - 1)
    if left <= NEGLIGIBLE * np.nansum(scores**2):
        return result
    epsilon = float(np.trace(scatter) ** 2 / (freedom * (scatter**2).sum()))
    f = explained / left * (seeds - 1)
    p = float(fdtrc(epsilon * freedom, epsilon * freedom * (seeds - 1), f))
    return {**result, "f": f, "epsilon": epsilon, "p": p, "eta_squared": explained / (explained + left)}


def _weighted(scores: Floats, weights: Floats) -> Floats:
    """Returns seeds x contrasts; a seed counts with all the arms that a contrast weighs, or is missing."""
    weights = np.where(np.abs(weights) > 1e-12 * np.abs(weights).max(), weights, 0.0)
    absent = np.isnan(scores)
    sums = np.where(absent, 0.0, scores) @ weights.T
    # What is only rounding must not pass for a small and precise effect.
    sums[np.abs(sums) <= ROUNDING * np.nanmax(np.abs(scores))] = 0.0
    return np.where(absent.astype(float) @ (weights != 0).T.astype(float) > 0, np.nan, sums)


def _steps(terms: Sequence[Term]) -> pd.DataFrame:
    """Returns what the contrasts are called, one a row."""
    rows = [(term.name, len(term.factors), level, term.against) for term in terms for level in term.levels()]
    return pd.DataFrame(rows, columns=["term", "order", "level", "against"])


def _tests(terms: Sequence[Term], tests: Sequence[dict[str, float]]) -> pd.DataFrame:
    names = pd.DataFrame({"term": [term.name for term in terms], "order": [len(term.factors) for term in terms]})
    columns = ["f", "freedom", "error_freedom", "epsilon", "p", "eta_squared"]
    return names.join(pd.DataFrame(list(tests), columns=columns, dtype=float))


def _model(terms: Sequence[Term]) -> Floats:
    columns = [term.columns() for term in terms]
    return np.hstack([np.ones((len(columns[0]), 1)), *columns])


def _places(terms: Sequence[Term]) -> list[tuple[Term, slice]]:
    """Returns each term with its columns in the model, after the mean's."""
    widths = [term.columns().shape[1] for term in terms]
    stops = 1 + np.cumsum(widths)
    return [(term, slice(int(stop) - width, int(stop))) for term, width, stop in zip(terms, widths, stops, strict=True)]
