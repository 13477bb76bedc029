"""Factorial experiments with the seed as a block: main effects and interactions of any number of factors and levels.

The model of an arm's score at a seed is the seed's own level, plus a main effect of each factor, plus interactions.
What the estimates are to be held against, the error, is a choice (``error``):

- ``own``: every contrast against its own scatter over seeds. A seed that trains all arms is a complete copy of the
  experiment: the model is fitted within each seed, and a t test over seeds judges what comes out (the method of summary
  measures: Matthews, Altman, Campbell and Royston 1990). It assumes that seeds are independent, and that a contrast is
  about normal over seeds; nothing of the arms. They may differ in noise, and seeds may favour some factors, which is
  what random seeds do: the split that suits wide networks suits all arms that are wide. Its price is few degrees of
  freedom, seeds - 1. For two levels of one factor it is the paired t test.
- ``pooled``: every contrast against one residual of all arms and seeds, as ordinary least squares has it. It has many
  degrees of freedom, and assumes that all arms have the same noise and that no seed favours a factor. Where seeds do,
  its intervals are too narrow (see tests.benchmarks.statistics).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from reports.statistics.aliasing import separate
from reports.statistics.coding import Term, code, terms_up_to
from reports.statistics.strata import against_own, against_pooled
from reports.statistics.tidy import check


@dataclass(frozen=True)
class Factorial:
    """What a factorial experiment says.

    Attributes:
        effects: One row a contrast: ``term`` ("width", "width:depth"), ``order`` (1 for a main effect), ``level`` and
            ``against`` (the baseline's), then the columns of :func:`reports.statistics.paired`. A main effect is the
            mean at the level minus the mean at the baseline's level, over all combinations of the other factors with
            equal weight. An interaction is the difference of differences against the baseline's levels, averaged over
            the rest: what the step of one factor gives more when the other has stepped too. ``sd`` is of the contrast
            over seeds.
        terms: One row a term: ``term``, ``order``, ``f``, ``freedom``, ``error_freedom``, ``epsilon``, ``p`` and
            ``eta_squared`` (partial: SS / (SS + SS of its error)).
        aliases: Groups of terms that this fraction can't tell apart: first those that were fitted, whose estimates
            stand for the whole group, then those that were left out. Terms above the model's order are not listed.
        linked: Groups of factors that move together through all arms; each is fitted as one factor, "a & b".
        arms: Distinct arms with a measurement.
        error: What the effects are held against.
    """

    effects: pd.DataFrame
    terms: pd.DataFrame
    aliases: tuple[tuple[str, ...], ...]
    linked: tuple[tuple[str, ...], ...]
    arms: int
    error: str


def factorial(
    table: pd.DataFrame,
    *,
    factors: Sequence[str],
    baseline: Mapping[str, Hashable],
    pair: str = "seed",
    value: str = "val_accuracy",
    order: int = 2,
    terms: Sequence[Sequence[str]] | None = None,
    fraction: bool = False,
    error: Literal["own", "pooled"] = "own",
    planned: int | None = None,
    family: int | None = None,
    margin: float | None = None,
) -> Factorial:
    """Fits main effects and interactions, with the seed as a block.

    Args:
        table: One row a measurement: its level of each factor, its seed, and its value, missing where it failed. With
            failures, ``own`` uses for each contrast the seeds in which all arms that it weighs are complete.
        factors: The columns that are varied.
        baseline: The reference level of each factor; it must be in the table.
        pair: The column that tells the seeds apart.
        value: The column that was measured.
        order: The highest interactions; 1 for main effects alone.
        terms: The terms themselves, in place of all up to ``order``: ``[["width"], ["depth"], ["width", "depth"]]``.
        fraction: Whether the arms are a fraction by intention. Then terms that can't be told from those before them are
            left out and listed in ``aliases``; else they are refused.
        error: What the effects are held against; see the top of this file.
        planned: Seeds planned; by default every distinct ``pair`` of the table.
        family: Comparisons in Holm's family; by default every contrast, of main effects and interactions together.
        margin: As in :func:`reports.statistics.effects`.

    Raises:
        Inestimable: If arms are missing so that a term can't be estimated, or it can't be told from another.
        ValueError: If a column is missing or holds what it can't, a baseline level is not there, or an arm has a seed
            twice.
    """
    check(table, (*factors, pair), value)
    if table.duplicated([*factors, pair]).any():
        twice = table.loc[table.duplicated([*factors, pair])].iloc[0]
        arm = ", ".join(f"{factor} {twice[factor]}" for factor in factors)
        raise ValueError(f"{arm} has more than one row for {pair} {twice[pair]}")
    wide = table.pivot(index=pair, columns=list(factors), values=value).astype(float)
    seeds = len(wide) if planned is None else planned
    wide = wide.loc[:, wide.notna().any()]  # an arm without a single result is an empty cell
    fitted, aliases, linked = told_terms(
        wide.columns.to_frame(), factors, baseline, order=order, terms=terms, fraction=fraction
    )
    judged = against_own if error == "own" else against_pooled
    effects, tests = judged(wide, fitted, planned=seeds, family=family, margin=margin)
    return Factorial(effects, tests, aliases, linked, wide.shape[1], error)


def told_terms(
    arms: pd.DataFrame,
    factors: Sequence[str],
    baseline: Mapping[str, Hashable],
    *,
    order: int = 2,
    terms: Sequence[Sequence[str]] | None = None,
    fraction: bool = False,
) -> tuple[list[Term], tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """Returns the terms that arms can tell, one row an arm; then the aliases and the linked factors.

    Arguments, errors, and what comes back as in :func:`factorial`.
    """
    coding, linked = code(arms, factors, baseline)
    wanted = terms_up_to(coding, order) if terms is None else [Term(coding.of(named)) for named in terms]
    fitted, aliases = separate(coding, wanted, fraction)
    return fitted, aliases, linked
