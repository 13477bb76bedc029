"""The books: every planned trial and every arm is accounted for, and the sums are checked, not assumed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.table import Table

PASSED_OVER = {
    "rejected": "infeasible, or over a constraint",
    "duplicate": "an arm that was there before, or one that trains the same network",
}
ENDED = ("completed", "stopped", "diverged", "failed")


@dataclass(frozen=True)
class Counts:
    """What was planned, what became of it, and whether it adds up.

    Attributes:
        trials: One row a phase, one column a status that a trial can end with, and ``running``.
        planned: Trials planned.
        not_run: Planned trials that have not ended and are not running.
        arms: Arms by status: run, rejected, duplicate. What a sampler proposed and was passed over counts here too.
        listed: Arms in all.
        unmatched: Arms whose equal-cost twin could not be had.
        adds_up: Whether the trials add up to the plan, and the arms to the list, and no trial is there twice.
        reasons: One row a kind of mishap: what, arm (label), reason, count.
    """

    trials: pd.DataFrame
    planned: int
    not_run: int
    arms: dict[str, int]
    listed: int
    unmatched: int
    adds_up: bool
    reasons: pd.DataFrame

    def of(self, status: str) -> int:
        """Returns the number of trials with a status, over both phases."""
        return int(self.trials[status].sum())


def count_up(table: Table) -> Counts:
    """Counts a run's trials and arms."""
    trials = pd.crosstab(table.trials["phase"], table.trials["status"])
    phases = [phase for phase in ("explore", "confirm") if phase in trials.index] or ["explore"]
    known = [*ENDED, "running"]
    strangers = int(trials.drop(columns=known, errors="ignore").to_numpy().sum())
    trials = trials.reindex(index=phases, columns=known, fill_value=0)
    planned = int(table.environment["planned"]["trials"])
    not_run = planned - int(trials.to_numpy().sum())
    passed, own = table.passed_over, table.arms["status"]
    arms = {status: int((own == status).sum() + passed.get(status, 0)) for status in ("run", "rejected", "duplicate")}
    listed = len(table.arms) + sum(passed.values())
    unique = not table.trials["trial"].duplicated().any()
    return Counts(
        trials=trials,
        planned=planned,
        not_run=max(not_run, 0),
        arms=arms,
        listed=listed,
        unmatched=int(table.arms["unmatched"].notna().sum()),
        adds_up=not_run >= 0 and strangers == 0 and unique and sum(arms.values()) == listed,
        reasons=_reasons(table),
    )


def _reasons(table: Table) -> pd.DataFrame:
    arms = table.arms
    lost = table.trials[table.trials["status"].isin(["stopped", "diverged", "failed"])]
    parts = [
        arms[arms["status"] != "run"].rename(columns={"status": "what", "label": "subject"}),
        arms[arms["unmatched"].notna()].assign(what="unmatched", subject=arms["label"], reason=arms["unmatched"]),
        lost.assign(what=lost["status"], subject=lost["arm"].map(arms["label"])),
    ]
    every = pd.concat([part[["what", "subject", "reason"]] for part in parts], ignore_index=True)
    every["reason"] = every["reason"].replace("", "no reason was recorded")
    counted = every.groupby(["what", "subject", "reason"], sort=False).size().rename("count").reset_index()
    passed = [
        {"what": status, "subject": "proposals of the sampler", "reason": PASSED_OVER[status], "count": number}
        for status, number in table.passed_over.items()
        if number
    ]
    return pd.concat([counted, pd.DataFrame(passed)], ignore_index=True) if passed else counted
