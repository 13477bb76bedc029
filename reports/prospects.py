"""What would change the answer, and what that would cost: sentences made by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from reports.comparisons import BOTH, COST_NAMES, MATCHED, TUNED
from reports.frontier import noise
from reports.numbers import about, count, points
from reports.outlook import MORE, seeds_to_tell

if TYPE_CHECKING:
    from reports.findings import Findings


def prospects(findings: Findings) -> tuple[str, ...]:
    """Returns what would decide what is open, in sentences; none where nothing is, or nothing is known of the noise."""
    if len(findings.outlook.open):
        return _undecided(findings)
    if len(findings.bands):
        return _rivals(findings)
    return ()


def _undecided(findings: Findings) -> tuple[str, ...]:
    rows, workers = findings.outlook.open, int(findings.table.environment["workers"])
    rows = rows[rows["pairs"] == rows["planned"]]  # what is unfinished is to be finished first
    known = rows.dropna(subset=["needed"]).sort_values("needed", kind="stable")
    if known.empty:
        return ()
    if findings.table.margin is None:
        return _bought(findings)
    easiest, hardest = known.iloc[0], known.iloc[-1]
    target = f"the study’s margin, {points(easiest['target'])[1:]}"
    said = [f"To find a difference as large as {target}, {_at(findings, easiest)} needs {_price(easiest, workers)}"]
    if len(known) > 1 and hardest["needed"] > easiest["needed"]:
        said.append(
            f"The hardest of {len(rows)} open comparisons, {_at(findings, hardest)}, needs {_price(hardest, workers)}"
        )
    return tuple(f"{sentence}." for sentence in said)


def _bought(findings: Findings) -> tuple[str, ...]:
    """Says which differences more seeds would find: without a margin no size is known that would decide."""
    rows, workers = findings.outlook.seeds, int(findings.table.environment["workers"])
    now, more, most = (rows[rows["more"] == each].iloc[0] for each in (0, MORE[2], MORE[-1]))
    seeds = count(int(now["pairs"]), "seed")
    said = [
        f"A true difference of {points(now['detectable'])[1:]} would be found with the {seeds} an arm has (80% power, "
        "at the comparisons’ median scatter)"
    ]
    said += [
        f"one of {points(row['detectable'])[1:]} with {int(row['pairs'])} ({_time(row['seconds'], workers, ' more')})"
        for row in (more, most)
    ]
    return (
        f"{'; '.join(said)}.",
        "The study states no margin, so which difference matters is left to the reader.",
    )


def _price(row: pd.Series, workers: int) -> str:
    seeds = count(int(row["needed"]), "seed")
    if row["more"] == 0:
        return f"{seeds}, no more than it has"
    trials = count(int(row["trials"]), "trial")
    return f"{seeds}, {int(row['more']):,} more: {trials} with all arms, {_time(row['seconds'], workers)}"


def _time(duration: float, workers: int, more: str = "") -> str:
    return f"about {about(duration)}{more} on {count(workers, 'worker')}"


def _at(findings: Findings, row: pd.Series) -> str:
    cost = COST_NAMES.get(str(findings.table.design.match), "cost")
    terms = {MATCHED: f" at equal {cost}", TUNED: ", tuned", BOTH: f" at equal {cost}, tuned"}
    return f"{row['change']}{terms.get(row['at'], '')}"


def _rivals(findings: Findings) -> tuple[str, ...]:
    best = findings.bands.iloc[-1]
    scatter = noise(findings.table, findings.arms.dropna(subset=["mean"]))
    needed = seeds_to_tell(float(best["lead"]), scatter.sd)
    if needed is None:
        return ()
    workers = int(findings.table.environment["workers"])
    trials = max(2 * needed - int(best["n"]) - int(findings.arms["n"][best["next"]]), 0)
    said = (
        f"To tell the best arm from the next, {points(best['lead'])[1:]} behind, would take about "
        f"{count(needed, 'seed')} of each: {count(trials, 'more trial')}, "
        f"{_time(trials * findings.outlook.trial_seconds / max(workers, 1), workers)}."
    )
    return (said,)
