"""Populations: spaces of networks compared by the error of arms drawn from them at random."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.arms import fold
from reports.statistics import SpaceDifference, compare_spaces, equalising_weights, holm
from reports.table import Table

EVERY = "all arms"


@dataclass(frozen=True)
class Population:
    """Samples of one or several spaces.

    Attributes:
        sample: One row an arm with a score: arm, label, space, error (1 - mean validation accuracy), cost, weight.
        cost: The cost that the weights equalise.
        unequal: Why costs could not be equalised; empty where they were, or where there is one space.
        spaces: One row a space: space, arms, drawn, accepted, mean, best, median (errors), effective (size).
        differences: One row a space but the first: space, against, mean, low, high, p, p_holm, ks, ks_p (of the error,
            at equal cost where that could be had).
    """

    sample: pd.DataFrame
    cost: str
    unequal: str
    spaces: pd.DataFrame
    differences: pd.DataFrame


@functools.lru_cache(maxsize=2)
def population(table: Table) -> Population | None:
    """Returns the samples of a population and how their errors compare; None for other designs, or without a score."""
    if table.design.kind != "population":
        return None
    arms = fold(table).dropna(subset=["mean"])
    cost = str((table.design.cost_band or {}).get("cost") or "macs")
    cost = cost if cost in arms.columns else "macs"
    named = {arm: str(space["name"]) for space in table.design.spaces for arm in space["arms"]}
    if not named:  # one space, all of whose arms were drawn; the baseline was not
        named = dict.fromkeys((arm for arm in arms.index if arm != table.baseline), EVERY)
    sample = arms.loc[[arm for arm in arms.index if arm in named], ["label", "mean", cost]].rename(
        columns={cost: "cost"}
    )
    if sample.empty:
        return None
    sample = sample.assign(space=[named[arm] for arm in sample.index], error=1 - sample.pop("mean")).reset_index(
        names="arm"
    )
    sample["weight"], unequal = _weights(sample)
    return Population(sample, cost, unequal, _spaces(table, sample), _differences(sample))


def _weights(sample: pd.DataFrame) -> tuple[pd.Series, str]:
    even = 1 / sample.groupby("space")["space"].transform("size")
    if sample["space"].nunique() < 2:
        return even, ""
    try:
        return equalising_weights(sample["cost"], sample["space"]), ""
    except ValueError as error:
        return even, str(error)


def _spaces(table: Table, sample: pd.DataFrame) -> pd.DataFrame:
    drawn = {str(space["name"]): space for space in table.design.spaces}
    rows = []
    for space, own in sample.groupby("space", sort=False):
        entry = drawn.get(str(space)) or table.design.acceptance or {}
        weight = own["weight"].to_numpy(float)
        rows.append(
            {
                "space": space,
                "arms": len(own),
                "drawn": entry.get("drawn", np.nan),
                "accepted": entry.get("accepted", np.nan),
                "mean": float((own["error"] * weight).sum() / weight.sum()),
                "median": float(own["error"].median()),
                "best": float(own["error"].min()),
                "effective": float(weight.sum() ** 2 / (weight**2).sum()),
            }
        )
    return pd.DataFrame(rows)


def _differences(sample: pd.DataFrame) -> pd.DataFrame:
    first, *others = sample["space"].unique().tolist()
    rows = []
    for space in others:
        try:
            found = compare_spaces(sample, first=first, second=space, weight="weight")
        except ValueError:  # a single network of a space has no scatter
            continue
        rows.append(_row(str(space), str(first), found))
    frame = pd.DataFrame(rows)
    return frame.assign(p_holm=holm(frame["p"])) if len(frame) else frame


def _row(space: str, against: str, found: SpaceDifference) -> dict[str, object]:
    interval = {"mean": found.mean, "low": found.mean_low, "high": found.mean_high, "p": found.mean_p}
    return {"space": space, "against": against, **interval, "ks": found.ks, "ks_p": found.ks_p}
