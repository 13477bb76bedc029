"""What a comparison is: which arm is held against which, on what terms; and the accuracies that it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.table import Table

COST_NAMES = {"macs": "MACs", "params": "parameters", "activations": "activations", "out_channels": "output channels"}
RAW, MATCHED, TUNED, BOTH = "raw", "matched", "tuned", "matched and tuned"


@dataclass(frozen=True)
class Comparison:
    """A comparison that was declared.

    Attributes:
        change: What is changed, in words.
        factor: What is varied.
        level: To what.
        at: "raw" (at its own cost), "matched" (its twin, at the baseline's cost), "tuned" (each with the recipe that
            was found for it), or "matched and tuned".
        arm: The arm that stands for it, if it is one arm that was run.
        against: What it is compared with: the baseline, or the baseline with its own tuned recipe. A part that is
            added to the bare recipe is compared with the bare recipe.
        macs: Its MACs relative to those of what it is compared with, minus 1.
        gap: The same for the matched cost; missing for raw comparisons, but for those at equal cost.
        same: Whether a raw comparison is at equal cost as it stands, and so has no matched one beside it.
        kept: Whether tuning changed neither the arm nor the baseline, so that there is no tuned comparison beside it.
        note: Why it was not made, or is incomplete.
    """

    change: str
    factor: str
    level: str
    at: str = RAW
    arm: str | None = None
    against: str | None = None
    macs: float = np.nan
    gap: float = np.nan
    same: bool = False
    kept: bool = False
    note: str = ""


def tuned(table: Table, arm: str) -> str:
    """Returns the arm that has the recipe which was found for an arm: itself, if its own won or none was sought."""
    found = table.arms.at[arm, "tuned"]
    return arm if found is None or found not in table.arms.index else str(found)


def accuracies(table: Table) -> pd.DataFrame:
    """Returns validation accuracy in the explore phase: a row a seed that was planned or used, a column an arm run."""
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    used = trials["seed"].unique().tolist()
    seeds = list(dict.fromkeys([*map(float, table.design.seeds), *sorted(used)]))
    run = table.arms.index[table.arms["status"] == "run"]
    wide = trials.pivot(index="seed", columns="arm", values="val_accuracy")
    return wide.reindex(index=seeds, columns=run).astype(float)
