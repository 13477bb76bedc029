"""Which terms these arms can tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from reports.statistics.coding import Coding, Floats, Inestimable, Term

TOLERANCE = 1e-8
NAMED_CELLS = 3


def separate(coding: Coding, wanted: Sequence[Term], fraction: bool) -> tuple[list[Term], tuple[tuple[str, ...], ...]]:
    """Returns the terms that can be estimated together, and the groups of aliased ones; earlier terms come first.

    Raises:
        Inestimable: If a term can't be estimated and the arms are not a fraction, or no term can.
    """
    kept: list[Term] = []
    model = np.ones((len(coding.factors[0].codes), 1))
    groups: dict[tuple[str, ...], list[str]] = {}
    for term in sorted(wanted, key=lambda term: len(term.factors)):
        columns = term.columns()
        both = np.hstack([model, columns])
        if np.linalg.matrix_rank(both, tol=TOLERANCE * np.sqrt(both.size)) == both.shape[1]:
            kept.append(term)
            model = both
            continue
        confused = _confused(model, columns, kept)
        if not fraction:
            raise Inestimable(_why(term, confused))
        groups.setdefault(confused, []).append(term.name)
    if not kept:
        raise Inestimable("no effect can be estimated from these arms")
    return kept, tuple((*fitted, *left_out) for fitted, left_out in groups.items())


def _confused(model: Floats, columns: Floats, kept: Sequence[Term]) -> tuple[str, ...]:
    """Returns the fitted terms that these columns are a combination of, in part."""
    inside, *_ = np.linalg.lstsq(model, columns, rcond=None)
    names, start = [], 1
    for term in kept:
        width = term.contrasts().shape[1]
        if np.abs(inside[start : start + width]).max() > TOLERANCE:
            names.append(term.name)
        start += width
    return tuple(names)


def _why(term: Term, confused: Sequence[str]) -> str:
    seen = set(zip(*(factor.codes.tolist() for factor in term.factors), strict=True))
    cells = itertools.product(*(range(len(factor.levels)) for factor in term.factors))
    empty = [cell for cell in cells if cell not in seen]
    if not empty:
        others = ", ".join(confused) or "the mean of all arms"
        return f"{term.name} can't be told from {others}: too few arms, or factors that move together"
    named = [
        " with ".join(f"{factor.name} {factor.levels[code]}" for factor, code in zip(term.factors, cell, strict=True))
        for cell in empty[:NAMED_CELLS]
    ]
    more = f", nor {len(empty) - NAMED_CELLS} more combinations" if len(empty) > NAMED_CELLS else ""
    return f"{term.name} can't be estimated: no arm has {', nor '.join(named)}{more}"
