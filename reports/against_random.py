"""What a search found beside a random search that spent as many MACs of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.table import Table
from reports.volume import courses

SEARCH, RANDOM = "the search", "random search"
PHASES = {"explore": SEARCH, "random": RANDOM}
BACKWARD = 3


def against_random(table: Table) -> pd.DataFrame:
    """Returns one row a trial of a search and of the random search beside it, in the order in which they ended.

    Columns: ``series`` (which of the two), ``trial`` (its number there), ``spent``: the MACs that all its trials so far
    trained, those that were stopped too: three times the forward pass's for every training image and epoch; ``volume``:
    the hypervolume of its front so far, in accuracy times a factor of ten of MACs, beyond a corner that both share: the
    dearest arm's MACs and the worst accuracy; ``best``: its best arm's accuracy so far. Arms count with the mean of
    their seeds so far, for random search has one seed an arm, and the best of several would be no find but luck. Only
    what was trained to its end has a score. Empty without a random search.
    """
    trials = pd.concat([table.phase(phase).assign(series=name) for phase, name in PHASES.items()])
    if trials.loc[trials["series"] == RANDOM, "val_accuracy"].count() < 1:
        return pd.DataFrame()
    macs = table.arms["macs"].to_dict() | {arm: entry["cost"]["macs"] for arm, entry in table.derived.items()}
    trials["macs"] = trials["arm"].map(macs).astype(float)
    lengths = table.epochs.groupby("trial")["epoch"].max()
    epochs = trials["trial"].map(lengths).fillna(0)
    trials["price"] = BACKWARD * trials["macs"] * epochs * float(table.environment["data"]["train"])
    scored = trials[trials["val_accuracy"].notna()]
    corner = float(np.log10(scored["macs"]).max()), float(scored["val_accuracy"].min())
    return pd.concat([_course(own, *corner) for _, own in trials.groupby("series", sort=False)], ignore_index=True)


def _course(trials: pd.DataFrame, dearest: float, worst: float) -> pd.DataFrame:
    frame = pd.DataFrame({"series": trials["series"], "trial": range(1, len(trials) + 1)})
    frame["spent"] = trials["price"].cumsum()
    scores = zip(trials["arm"], np.log10(trials["macs"]), trials["val_accuracy"], strict=True)
    frame[["volume", "best"]] = courses(scores, dearest, worst)
    return frame


@dataclass(frozen=True)
class AtEqualMacs:
    """Both searches at the same MACs of training: all that the one trained which trained less.

    Attributes:
        spent: These MACs.
        whole: Whether random search trained no less than the search, as it does once it has ended.
        trained: What random search trained of the search's MACs.
        volume, other: The search's hypervolume by then, and random search's.
        best, rival: The accuracies of their best arms; nan where nothing had come to its end.
        share: With how much of these MACs the search first held ``other``; nan if it never did.
    """

    spent: float
    whole: bool
    trained: float
    volume: float
    other: float
    best: float
    rival: float
    share: float


def at_equal_macs(frame: pd.DataFrame) -> AtEqualMacs:
    """Compares both where they had trained as many MACs: random search's last arm goes beyond the budget."""
    found, other = (frame[frame["series"] == name] for name in (SEARCH, RANDOM))
    ends = [float(own["spent"].max()) for own in (found, other)]
    spent = min(ends)
    ours, theirs = (own[own["spent"] <= spent] for own in (found, other))
    volume, goal = (float(own["volume"].iloc[-1]) if len(own) else 0.0 for own in (ours, theirs))
    best, rival = (float(own["best"].iloc[-1]) if len(own) else np.nan for own in (ours, theirs))
    reached = ours.loc[ours["volume"] >= goal, "spent"]
    share = np.nan if reached.empty else float(reached.iloc[0]) / spent
    return AtEqualMacs(spent, ends[1] >= ends[0], ends[1] / ends[0], volume, goal, best, rival, share)
