"""What a factorial will compare, before any of it is run: for the dry run, by the functions that the page uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from reports.changes import moving
from reports.statistics.coding import Inestimable
from reports.statistics.factorial import told_terms
from reports.statistics.main_effects import MainEffect, main_effects
from reports.table import Factor

NEGLIGIBLE = 1e-12


class Planned(NamedTuple):
    """The comparisons of a factorial.

    Attributes:
        effects: Main effects at their own cost: the factor, and the SD of the effect over seeds, in SDs of a difference
            of two arms that scatter each by itself.
        matched: How many main effects there are at equal cost beside them.
        interactions: How many steps of interactions.
    """

    effects: tuple[tuple[str, float], ...]
    matched: int
    interactions: int


def planned_effects(
    levels: Mapping[str, Mapping[str, str]],
    baseline: str,
    factors: Sequence[tuple[str, tuple[str, ...], str | None]],
    fraction: Mapping[str, Any],
    twins: Mapping[str, str] | None,
) -> Planned:
    """Returns what the page will hold against each other of a factorial that runs whole.

    Args:
        levels: The level of each factor, by arm.
        baseline: The arm that is the baseline.
        factors: The name, the columns and the ``same_as`` of each factor.
        fraction: What arms.json says of it.
        twins: The arm that stands for each at equal cost; None where the study holds no cost equal.
    """
    frame = pd.DataFrame([dict(each) for each in levels.values()], index=pd.Index([*levels]), dtype=object)
    base: dict[str, Any] = {name: frame.at[baseline, name] for name in frame.columns}
    part = fraction.get("kind", "full") != "full"
    asked: Any = fraction.get("terms")
    groups = moving([Factor(*each) for each in factors])
    raw = list(main_effects(frame, base, groups=groups, fraction=part, terms=asked or ()))
    matched = 0 if twins is None else sum(not _same(effect, twins) for effect in raw)
    told = tuple((" and ".join(effect.factors), effect.spread) for effect in raw if len(effect.weights))
    return Planned(told, matched, _interactions(frame, base, part, asked))


def _same(effect: MainEffect, twins: Mapping[str, str]) -> bool:
    """Whether an effect is at equal cost as it stands, and so is not told twice."""
    used = effect.weights.index[effect.weights.abs() > NEGLIGIBLE]
    return bool(len(used)) and all(twins.get(arm) == arm for arm in used)


def _interactions(frame: pd.DataFrame, base: Mapping[str, Any], part: bool, asked: Any) -> int:
    varied = [str(column) for column in frame.columns if frame[column].nunique() > 1]
    terms = None if asked is None else [term for term in asked if {*term} <= {*varied}]
    try:
        fitted, _, _ = told_terms(frame, varied, base, terms=terms, fraction=part)
    except Inestimable:
        return 0
    return sum(len(term.levels()) for term in fitted if len(term.factors) > 1)
