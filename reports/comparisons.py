"""The comparisons that a design declares: each change against the baseline, at its own cost, at equal cost, and tuned.

The family for Holm's correction is all of them together, each distinct pair of arms once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from reports.averaged import averaged, modelled_interactions
from reports.changes import Change, added, bare, describe
from reports.comparison import BOTH as BOTH
from reports.comparison import COST_NAMES as COST_NAMES
from reports.comparison import MATCHED as MATCHED
from reports.comparison import RAW as RAW
from reports.comparison import TUNED as TUNED
from reports.comparison import Comparison, accuracies
from reports.comparison import tuned as tuned
from reports.statistics import SIGNIFICANCE, Verdict, detectable, holm, paired
from reports.statistics.verdicts import judge
from reports.table import Table

DECLARED = ("one_at_a_time", "leave_one_out", "list", "factorial")


def comparisons(table: Table) -> pd.DataFrame:
    """Returns one row a comparison, in the study's order; none for designs that declare no comparisons.

    Columns: those of :class:`Comparison`, then those of :func:`reports.statistics.paired`.
    """
    return _compared(table).copy()


@functools.lru_cache(maxsize=2)
def _compared(table: Table) -> pd.DataFrame:
    if table.design.kind not in DECLARED:
        return pd.DataFrame()
    return averaged(table) if table.design.kind == "factorial" else _against_baseline(table)


def interactions(table: Table) -> pd.DataFrame:
    """Returns one row an interaction contrast of a factorial; no row where the model was refused.

    Columns: those of :attr:`reports.statistics.Factorial.effects`. Holm's family is main effects and interactions.
    """
    steps, mains = modelled_interactions(table), comparisons(table)
    if not len(steps) or not len(mains):
        return pd.DataFrame()
    corrected = holm(pd.concat([mains["p"], steps["p"]], ignore_index=True)).iloc[len(mains) :]
    steps["p_holm"] = corrected.to_numpy()
    size = SIGNIFICANCE / (len(mains) + len(steps))
    steps["detectable"] = detectable(steps["sd"], steps["pairs"], size)
    steps["verdict"] = judge(steps)
    return steps


def why_no_verdict(row: Mapping[Any, Any]) -> str:
    """Says why a comparison that was made has no verdict, or nothing if it has one."""
    if row["verdict"] != Verdict.NONE:
        return ""
    if row["pairs"] == 0:
        return "no complete pair of seeds"
    if row["pairs"] == 1:
        return "one seed: no interval" if row["planned"] == 1 else "one pair of seeds: no interval"
    return "the differences do not vary over seeds"


def _against_baseline(table: Table) -> pd.DataFrame:
    declared = list(_declared(table))
    rows = pd.DataFrame([asdict(comparison) for comparison in declared])
    if rows.empty:
        return rows
    accuracy = accuracies(table)
    pairs = list(dict.fromkeys((each.arm, each.against) for each in declared if each.arm is not None))
    differences = {place: accuracy[arm] - accuracy[against] for place, (arm, against) in enumerate(pairs)}
    statistics = paired(
        pd.DataFrame(differences, index=accuracy.index),
        planned=len(accuracy),
        family=max(table.design.family or 0, len(pairs)),
        margin=table.margin,
    )
    places = {pair: place for place, pair in enumerate(pairs)}
    rows["place"] = [-1 if each.arm is None else places[each.arm, each.against] for each in declared]
    rows = rows.merge(statistics, left_on="place", right_index=True, how="left").drop(columns="place")
    rows["verdict"] = rows["verdict"].astype(object).where(rows["verdict"].notna(), None)
    rows[["pairs", "planned"]] = rows[["pairs", "planned"]].fillna(0).astype(int)
    for place in rows.index[rows["pairs"] < rows["planned"]]:
        rows.at[place, "note"] = _mishaps(table, str(rows.at[place, "arm"]), str(rows.at[place, "against"]))
    return rows


def _declared(table: Table) -> Iterator[Comparison]:
    """Yields each arm's comparison as it is, at equal cost where costs are matched, and tuned where recipes are."""
    arms = table.arms.loc[table.listed]
    for arm, status, reason in zip(arms.index, arms["status"], arms["reason"], strict=True):
        if arm == table.baseline:
            continue
        change, reference = describe(table, arm), _reference(table, arm)
        macs = table.arms["macs"] / table.entry(reference)["macs"] - 1
        if status != "run":
            yield Comparison(*change, macs=macs[arm], note=f"{status}: {reason}")
            continue
        if table.arms.at[reference, "status"] != "run":
            yield Comparison(*change, macs=macs[arm], note=f"the bare recipe is {table.entry(reference)['status']}")
            continue
        entry = table.entry(arm)
        same = table.design.match is not None and entry["twin"] == arm and _level(table, reference) == reference
        own = Comparison(*change, arm=arm, against=reference, macs=macs[arm], same=same)
        own = replace(own, gap=entry["gap"]) if same else own
        yield from _with_tuned(table, own, TUNED)
        if table.design.match is not None and not same:
            yield from _with_tuned(table, _twin(table, arm, change, reference), BOTH)


def _reference(table: Table, arm: str) -> str:
    """Returns what an arm is compared with: a part that is added to the bare recipe, with that; else the baseline."""
    start = bare(table) if added(table, arm) is not None else None
    return start or table.baseline


def _level(table: Table, reference: str) -> str | None:
    """Returns what stands for a reference at equal cost: itself if it is the baseline, else its twin, if it has one."""
    if reference == table.baseline:
        return reference
    twin = table.entry(reference)["twin"]
    return twin if twin in table.arms.index and table.entry(twin)["status"] == "run" else None


def _with_tuned(table: Table, own: Comparison, at: str) -> Iterator[Comparison]:
    if own.arm is None or table.tuning is None:
        yield own
        return
    arm, against = tuned(table, own.arm), tuned(table, str(own.against))
    kept = (arm, against) == (own.arm, own.against)
    yield replace(own, kept=kept)
    if not kept:
        yield replace(own, at=at, arm=arm, against=against, same=False)


def _twin(table: Table, arm: str, change: Change, reference: str) -> Comparison:
    own = table.entry(arm)
    twin = own["twin"]
    if twin is None or twin not in table.arms.index:
        return Comparison(*change, at=MATCHED, note=f"unmatched: {own['unmatched'] or 'no twin was planned'}")
    entry = table.entry(twin)
    if entry["status"] != "run":
        return Comparison(*change, at=MATCHED, note=f"the twin is {entry['status']}: {entry['reason']}")
    against = _level(table, reference)
    if against is None:
        return Comparison(*change, at=MATCHED, note="unmatched: the bare recipe has no twin")
    if twin == against:
        return Comparison(*change, at=MATCHED, note="nothing is left of it: at equal cost both are the same network")
    macs = table.arms.at[twin, "macs"] / table.entry(against)["macs"] - 1
    return Comparison(*change, at=MATCHED, arm=twin, against=against, macs=macs, gap=entry["gap"])


def _mishaps(table: Table, arm: str, against: str) -> str:
    """Says why pairs are missing: what became of the trials of the arm and of the baseline."""
    said, trials = [], table.trials[table.trials["phase"] == "explore"]
    base = table.baseline in (against, table.arms.at[against, "tuned_of"])
    for name, whose in ((arm, ""), (against, f"of the {'baseline' if base else 'bare recipe'} ")):
        own = trials[trials["arm"] == name]
        lost = own[own["status"] != "completed"]["status"].value_counts()
        absent = len(table.design.seeds) - own["seed"].nunique()
        said += [f"{number} {whose}{status}" for status, number in lost.items()]
        said += [f"{absent} {whose}not run yet"] if absent > 0 else []
    return ", ".join(said)
