"""Fractions of a factorial: which of all combinations to run, when not all can be.

Factors are counted from 0 and so are their levels; level 0 is the baseline's. Both fractions hold the baseline, by
naming the levels of their first run 0, which changes neither aliases nor efficiency.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Runs = list[tuple[int, ...]]
Term = tuple[int, ...]

MAX_CELLS = 512
"""Of more combinations no D-optimal fraction is looked for: an exchange tries each of them in every run's place."""

STARTS = (0.0, 1e-3, 1e-1)
"""Weights of the whole factorial in the criterion: runs that are too few as yet would all score 0 without any."""


def regular(factors: int, resolution: int) -> Runs:
    """Returns the smallest regular two-level fraction of a resolution; all combinations where there is no smaller one.

    Source: pydoe's search for generators; Box and Hunter, "The 2^(k-p) fractional factorial designs", 1961.

    Raises:
        ValueError: If there is no such fraction.
    """
    from pydoe import fracfact_by_res

    signs = np.asarray(fracfact_by_res(factors, resolution))
    return [tuple(int(sign) for sign in row) for row in (signs != signs[0]).astype(int)]


def aliases(runs: Runs, names: Sequence[str]) -> list[list[str]]:
    """Returns which main effects and two-factor interactions two-level runs can't tell apart: the chains of each."""
    signs = 1 - 2 * np.array(runs)
    chains: dict[bytes, list[str]] = {}
    for size in (1, 2):
        for term in itertools.combinations(range(len(names)), size):
            contrast = signs[:, term].prod(axis=1)
            chains.setdefault((contrast * contrast[0]).tobytes(), []).append(":".join(names[index] for index in term))
    return [chain for chain in chains.values() if len(chain) > 1]


def d_optimal(levels: Sequence[int], runs: int, interactions: Sequence[Term]) -> tuple[Runs, float]:
    """Returns so many runs that tell the main effects and the named interactions as well as may be, and how well.

    The runs are found by Fedorov's exchange (pydoe) from several starts: a very good design, not proven the best.

    Returns:
        The runs, and their D-efficiency: 1 is that of the whole factorial, run by run.

    Raises:
        ValueError: If the runs are too few for the terms, or as many as all combinations, or those are too many.
    """
    from pydoe.optimal import modified_fedorov

    cells = list(itertools.product(*(range(count) for count in levels)))
    terms = [*((index,) for index in range(len(levels))), *interactions]
    if len(cells) > MAX_CELLS:
        raise ValueError(f"{len(cells):,} combinations are too many to choose from; {MAX_CELLS} at most")
    if runs >= len(cells):
        raise ValueError(f"{runs} runs of {len(cells)} combinations are no fraction; leave 'fraction' out to run all")
    matrix = _model_matrix(np.array(cells), levels, terms)  # cells x columns
    if runs < 1 + matrix.shape[1]:
        raise ValueError(
            f"{runs} runs can't tell {1 + matrix.shape[1]} numbers (a mean, and the effects of "
            f"{len(terms)} terms): {1 + matrix.shape[1]} runs at least"
        )
    place = {row.tobytes(): cell for row, cell in zip(matrix, cells, strict=True)}
    found = [np.asarray(modified_fedorov(matrix, runs, 1, "D", alpha)) for alpha in STARTS]
    best = max(found, key=efficiency)
    if efficiency(best) < 1e-6:
        raise ValueError(f"no {runs} runs were found that tell all {len(terms)} terms apart; ask for more")
    return _with_first_at_zero([place[row.tobytes()] for row in best]), float(efficiency(best))


def efficiency(columns: NDArray[np.float64]) -> float:
    """Returns the D-efficiency of runs whose model columns, the constant's left out, are orthonormal over all cells."""
    matrix = np.column_stack([np.ones(len(columns)), columns])
    return float(max(np.linalg.det(matrix.T @ matrix / len(matrix)), 0.0) ** (1 / matrix.shape[1]))


def _model_matrix(cells: NDArray[np.int64], levels: Sequence[int], terms: Sequence[Term]) -> NDArray[np.float64]:
    blocks = []
    for term in terms:
        block = np.ones((len(cells), 1))
        for index in term:
            contrasts = _contrasts(levels[index])[cells[:, index]]
            block = (block[:, :, None] * contrasts[:, None, :]).reshape(len(cells), -1)
        blocks.append(block)
    return np.ascontiguousarray(np.hstack(blocks))


def _contrasts(levels: int) -> NDArray[np.float64]:
    """Returns levels x (levels - 1) numbers, their columns of mean 0, mean square 1 and uncorrelated."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(levels), np.eye(levels)[:, 1:]]))
    return np.asarray(basis[:, 1:] * levels**0.5)


def _with_first_at_zero(runs: Runs) -> Runs:
    """Swaps names of levels, factor by factor, so that the first run is the baseline."""
    swaps = [{level: 0, 0: level} for level in runs[0]]
    return [tuple(swap.get(level, level) for swap, level in zip(swaps, run, strict=True)) for run in runs]
