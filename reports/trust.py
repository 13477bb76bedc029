"""The books: every planned trial and every arm is accounted for, and the sums are checked, not assumed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.table import PHASES, Table

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
        by_phase: The same by phase, where the run tells it; else empty.
        not_run: Planned trials that have not ended and are not running.
        earlier: Trials of an earlier plan, which are counted nowhere else here.
        arms: Arms by status: run, rejected, duplicate. What a sampler proposed and was passed over counts here too.
        listed: Arms in all.
        unmatched: Arms whose equal-cost twin could not be had.
        adds_up: Whether the trials add up to the plan, and the arms to the list, and no trial is there twice.
        reasons: One row a kind of mishap: what, arm (label), reason, count.
    """

    trials: pd.DataFrame
    planned: int
    by_phase: dict[str, int]
    not_run: int
    earlier: int
    arms: dict[str, int]
    listed: int
    unmatched: int
    adds_up: bool
    reasons: pd.DataFrame

    def of(self, status: str) -> int:
        """Returns the number of trials with a status, over all phases."""
        return int(self.trials[status].sum())


def count_up(table: Table) -> Counts:
    """Counts a run's trials and arms."""
    own = table.trials[~table.trials["trial"].isin(list(table.earlier))]
    trials = own.groupby(["phase", "status"]).size().unstack(fill_value=0)
    phases = [phase for phase in PHASES if phase in trials.index] or ["explore"]
    phases += [phase for phase in trials.index if phase not in PHASES]  # of a later version: counted, not known
    known = [*ENDED, "running"]
    strangers = int(trials.drop(columns=known, errors="ignore").to_numpy().sum())
    planned = int(table.environment["planned"]["trials"])
    by_phase = {phase: int(number) for phase, number in (table.environment["planned"].get("by_phase") or {}).items()}
    phases += [phase for phase, number in by_phase.items() if number and phase not in phases]
    trials = trials.reindex(index=phases, columns=known, fill_value=0)
    not_run = planned - int(trials.to_numpy().sum())
    more = trials.sum(axis=1) > pd.Series(by_phase, dtype=float).reindex(phases, fill_value=0)
    by_phase_adds_up = not by_phase or (sum(by_phase.values()) == planned and not more.any())
    passed, states = table.passed_over, table.arms["status"]
    arms = {
        status: int((states == status).sum() + passed.get(status, 0)) for status in ("run", "rejected", "duplicate")
    }
    listed = len(table.arms) + sum(passed.values())
    unique = not table.trials["trial"].duplicated().any()
    return Counts(
        trials=trials,
        planned=planned,
        by_phase=by_phase,
        not_run=max(not_run, 0),
        earlier=len(table.trials) - len(own),
        arms=arms,
        listed=listed,
        unmatched=int(table.arms["unmatched"].notna().sum()),
        adds_up=not_run >= 0 and strangers == 0 and unique and by_phase_adds_up and sum(arms.values()) == listed,
        reasons=_reasons(table),
    )


def _reasons(table: Table) -> pd.DataFrame:
    arms = table.arms
    lost = table.trials[table.trials["status"].isin(["stopped", "diverged", "failed"])]
    rungs = _rungs(table, lost)
    early, lost = rungs.dropna(), lost[rungs.isna()]
    parts = [
        arms[arms["status"] != "run"].rename(columns={"status": "what", "label": "subject"}),
        arms[arms["unmatched"].notna()].assign(what="unmatched", subject=arms["label"], reason=arms["unmatched"]),
        lost.assign(what=lost["status"], subject=[_label(table, arm) for arm in lost["arm"]]),
        pd.DataFrame({"what": "stopped", "subject": "trials of the search", "reason": early}),
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


def _rungs(table: Table, lost: pd.DataFrame) -> pd.Series:
    """Returns at which rung each trial was stopped, in words; missing for those that were not stopped by the rungs.

    Their reasons tell after which epoch, and then how many others had come so far, which differs from trial to trial.
    """
    epochs = pd.to_numeric(lost["reason"].str.extract(r"^after epoch (\d+)\b", expand=False))
    planned = (lost["status"] == "stopped") & epochs.isin(table.design.rungs)
    return epochs.where(planned).map(lambda rung: f"after epoch {rung:.0f}, as planned", na_action="ignore")


def _label(table: Table, arm: str) -> str:
    """Returns an arm's label; of a configuration that exists only to be tuned or checked, whose and what it is."""
    if arm in table.arms.index:
        return str(table.entry(arm)["label"])
    entry = table.derived.get(arm)
    if entry is None:
        return arm
    changes = ", ".join(f"{path.rpartition('.')[2]} {value}" for path, value in entry["changes"].items())
    return f"{table.entry(entry['of'])['label']}, {entry['role']}: {changes}"
