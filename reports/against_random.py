"""What a search found beside a random search that spent as many MACs of training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports.table import Table
from reports.volume import volumes

SEARCH, RANDOM = "the search", "random search"
PHASES = {"explore": SEARCH, "random": RANDOM}
BACKWARD = 3


def against_random(table: Table) -> pd.DataFrame:
    """Returns one row a trial of a search and of the random search beside it, in the order in which they ended.

    Columns: ``series`` (which of the two), ``trial`` (its number there), ``spent``: the MACs that all its trials so far
    trained, those that were stopped too: three times the forward pass's for every training image and epoch; ``volume``:
    the hypervolume of its front so far, in accuracy times a factor of ten of MACs, beyond a corner that both share: the
    dearest arm's MACs and the worst accuracy; ``best``: its best accuracy so far. Only what was trained to its end has
    a score. Empty without a random search.
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
    costs = np.log10(trials["macs"]).clip(upper=dearest)
    frame["volume"] = volumes(costs.tolist(), trials["val_accuracy"].tolist(), dearest, worst)
    frame["best"] = trials["val_accuracy"].cummax().ffill()
    return frame


def share_to_reach(frame: pd.DataFrame) -> float | None:
    """Returns the share of random search's MACs with which the search first held what that had found in the end; None
    if it never did."""
    found, other = (frame[frame["series"] == name] for name in (SEARCH, RANDOM))
    reached = found.loc[found["volume"] >= other["volume"].iloc[-1], "spent"]
    return None if reached.empty else float(reached.iloc[0] / other["spent"].iloc[-1])
