"""Where the training time went."""

from __future__ import annotations

import pandas as pd

from reports.numbers import count
from reports.table import PHASES, Table

ENDS = ("completed", "stopped", "diverged", "failed")
MOST_ARMS = 15
RANDOM, BESIDE = "random", "random search"


def spending(table: Table) -> pd.DataFrame:
    """Returns one row a place and way to end, with time: by ("phase" or "arm"), what, arm, status, trials, seconds.

    ``seconds`` is the time that its trials trained, validation included, of all workers together. Configurations that
    were only tuned, or trained to check the fidelity, count with the arm that they belong to; all that random search
    trained beside a search stands together, as that. The fifteen arms with most are named, the others summed.
    """
    trials = table.trials[table.trials["status"].isin(ENDS)].copy()
    trials["seconds"] = trials["train_seconds"].fillna(0)
    owners = {name: entry["of"] for name, entry in table.derived.items()}
    trials["owner"] = [owners.get(arm, arm) for arm in trials["arm"]]
    if trials["seconds"].sum() <= 0:
        return pd.DataFrame()
    order = {phase: place for place, phase in enumerate(PHASES)}
    phases = _sums(trials.assign(what=trials["phase"], arm=""), "phase")
    phases = phases.sort_values("what", key=lambda names: names.map(order), kind="stable")
    beside = trials["phase"] == RANDOM
    totals = trials[~beside].groupby("owner")["seconds"].sum().nlargest(MOST_ARMS)
    others = count(trials.loc[~beside, "owner"].nunique() - len(totals), "other arm")
    labels = dict(table.arms["label"].reindex(totals.index))
    named = trials["owner"].isin(labels) & ~beside
    what = trials["owner"].map(labels).where(named, others).mask(beside, BESIDE)
    arms = _sums(trials.assign(what=what, arm=trials["owner"].where(named, "")), "arm")
    rank = arms.groupby(["what", "arm"])["seconds"].transform("sum").mask(arms["what"] == others, -1)
    arms = arms.loc[rank.sort_values(ascending=False, kind="stable").index]
    return pd.concat([phases, arms], ignore_index=True)


def _sums(trials: pd.DataFrame, by: str) -> pd.DataFrame:
    groups = trials.groupby(["what", "arm", "status"], sort=False)["seconds"]
    return groups.agg(trials="size", seconds="sum").reset_index().assign(by=by)
