"""Seed noise and image noise told apart: would other seeds, or other images, have said otherwise?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.arms import fold
from reports.images import Correct, correct
from reports.statistics import image_bootstrap, noise
from reports.table import Table

MOST_ARMS = 12


@dataclass(frozen=True)
class Noises:
    """The two noises.

    Attributes:
        split, phase: What the networks were judged on, and in which phase.
        seeds, images: How many of each.
        arms: One row an arm: label and the columns of :func:`reports.statistics.noise` of its accuracy.
        differences: The same of its difference from the baseline, with ``bootstrap_low`` and ``bootstrap_high``, the
            95% interval over images with the networks held fixed.
    """

    split: str
    phase: str
    seeds: int
    images: int
    arms: pd.DataFrame
    differences: pd.DataFrame


def noises(table: Table) -> Noises | None:
    """Returns the two noises of the arms that were confirmed, on test where it was opened; else of the best few arms.

    None where the run has no record of images. Where every seed has a validation split of its own, validation images
    are not the same for all seeds, and only the test split can tell the noises apart.
    """
    found = _confirmed(table) or _explored(table)
    if found is None:
        return None
    arms = noise(found.right, arms=found.arms)
    differences = noise(found.right, arms=found.arms, baseline=table.baseline)
    drawn = image_bootstrap(found.right, arms=found.arms, baseline=table.baseline)
    differences = differences.assign(bootstrap_low=drawn["low"], bootstrap_high=drawn["high"])
    labels = table.arms["label"]
    return Noises(
        found.split,
        found.phase,
        len(found.seeds),
        found.right.shape[2],
        arms.assign(label=labels.reindex(arms.index)),
        differences.assign(label=labels.reindex(differences.index)),
    )


def _confirmed(table: Table) -> Correct | None:
    winner = table.winner["arm"] if table.winner else None
    arms = list(dict.fromkeys([table.baseline, *([winner] if winner else []), *table.finalists]))
    if len(arms) < 2:
        return None
    splits = ["test"] if _own_splits(table) else ["test", "validation"]
    found = (correct(table, arms[:MOST_ARMS], "confirm", split) for split in splits)
    return next((each for each in found if each is not None), None)


def _explored(table: Table) -> Correct | None:
    if _own_splits(table):
        return None
    arms = fold(table)
    best = arms[(arms["n"] > 1) & (arms.index != table.baseline)]["mean"].nlargest(MOST_ARMS - 1).index
    if not len(best):
        return None
    return correct(table, [table.baseline, *best], "explore", "validation")


def _own_splits(table: Table) -> bool:
    return "split" in table.environment["varied"]
