"""Whether short runs put arms in the order that full runs do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.statistics import RankAgreement, rank_agreement
from reports.table import Table


@dataclass(frozen=True)
class Fidelity:
    """Arms that were trained short and full.

    Attributes:
        epochs: Of the short and of the full runs.
        arms: One row an arm: arm, label, ``short`` and ``full`` (mean validation accuracy over the completed trials,
            missing without one), ``short_n``, ``full_n``, ``short_rank`` and ``full_rank`` (1 is best).
        agreement: How the two orders agree.
    """

    epochs: tuple[int, int]
    arms: pd.DataFrame
    agreement: RankAgreement


def fidelity(table: Table) -> Fidelity | None:
    """Returns how short and full runs agree; None if the study asked for no such check."""
    if table.fidelity is None:
        return None
    trials = table.trials[table.trials["status"] == "completed"].drop_duplicates("trial")
    scores = trials.set_index("trial")["val_accuracy"]
    rows = [_row(table, entry, scores) for entry in table.fidelity["arms"]]
    columns = ["arm", "label", "short", "short_n", "full", "full_n"]
    arms = pd.DataFrame(rows, columns=columns).astype({"short": float, "full": float})
    both = arms[["short", "full"]].notna().all(axis=1)
    for length in ("short", "full"):
        arms[f"{length}_rank"] = arms[length].where(both).rank(ascending=False, method="min")
    indexed = arms.set_index("arm")
    short, full = (int(epochs) for epochs in table.fidelity["epochs"])
    return Fidelity((short, full), arms, rank_agreement(indexed["short"], indexed["full"]))


def _row(table: Table, entry: Mapping[str, Any], scores: pd.Series) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": entry["arm"], "label": table.entry(entry["arm"])["label"]}
    for length in ("short", "full"):
        known = scores[scores.index.isin(entry[length]["trials"])].dropna()
        row |= {length: known.mean() if len(known) else np.nan, f"{length}_n": len(known)}
    return row
