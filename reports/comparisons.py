"""The comparisons that a design declares: each change against the baseline, at its own cost, at equal cost, and tuned.

The family for Holm's correction is all of them together, each distinct pair of arms once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from reports.changes import Change, added, bare, describe
from reports.main_effects import Effect, main_effects
from reports.model import model
from reports.statistics import SIGNIFICANCE, Verdict, detectable, holm, paired
from reports.statistics.verdicts import judge
from reports.table import Table

DECLARED = ("one_at_a_time", "leave_one_out", "list", "factorial")
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


def comparisons(table: Table) -> pd.DataFrame:
    """Returns one row a comparison, in the study's order; none for designs that declare no comparisons.

    Columns: those of :class:`Comparison`, then those of :func:`reports.statistics.paired`.
    """
    return _compared(table).copy()


@functools.lru_cache(maxsize=2)
def _compared(table: Table) -> pd.DataFrame:
    if table.design.kind not in DECLARED:
        return pd.DataFrame()
    return _averaged(table) if table.design.kind == "factorial" else _against_baseline(table)


def interactions(table: Table) -> pd.DataFrame:
    """Returns one row an interaction contrast of a factorial; no row where the model was refused.

    Columns: those of :attr:`reports.statistics.Factorial.effects`. Holm's family is main effects and interactions.
    """
    steps, mains = _interactions(table), comparisons(table)
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
        return "one seed: no interval" if row["planned"] == 1 else "one pair of seeds: no interval yet"
    return "the differences do not vary over seeds"


def tuned(table: Table, arm: str) -> str:
    """Returns the arm that has the recipe which was found for an arm: itself, if its own won or none was sought."""
    found = table.arms.at[arm, "tuned"]
    return arm if found is None or found not in table.arms.index else str(found)


def _against_baseline(table: Table) -> pd.DataFrame:
    declared = list(_declared(table))
    rows = pd.DataFrame([asdict(comparison) for comparison in declared])
    if rows.empty:
        return rows
    accuracy = _accuracy(table)
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
    arms = table.arms[(table.arms["match"] == "none") & table.arms["tuned_of"].isna()]
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


def _accuracy(table: Table) -> pd.DataFrame:
    """Returns validation accuracy in the explore phase: a row a seed that was planned or used, a column an arm run."""
    trials = table.phase("explore").drop_duplicates(["arm", "seed"])
    used = trials["seed"].unique().tolist()
    seeds = list(dict.fromkeys([*map(float, table.design.seeds), *sorted(used)]))
    run = table.arms.index[table.arms["status"] == "run"]
    wide = trials.pivot(index="seed", columns="arm", values="val_accuracy")
    return wide.reindex(index=seeds, columns=run).astype(float)


def _averaged(table: Table) -> pd.DataFrame:
    """Compares each level with the baseline's, averaged over the settings of the other factors."""
    accuracy = _accuracy(table)
    rows: list[dict[str, Any]] = []
    differences: dict[int, pd.Series] = {}
    for effect in main_effects(table):
        used = effect.weights[effect.weights.abs() > 1e-12]
        macs = float(np.exp((np.log(table.arms.loc[used.index, "macs"]) * used).sum()) - 1)
        for at in (RAW, TUNED):
            arms = [tuned(table, str(arm)) if at == TUNED else arm for arm in used.index]
            if at == TUNED and arms == used.index.tolist():
                continue
            # A seed counts only with all its settings: a mean over fewer would compare different networks.
            differences[len(rows)] = pd.Series(accuracy[arms].to_numpy() @ used.to_numpy(), index=accuracy.index)
            rows.append(_row(table, effect, at, macs))
    if not rows:
        return pd.DataFrame()
    steps = _interactions(table)
    family = len(rows) + len(steps)
    statistics = paired(pd.DataFrame(differences), planned=len(accuracy), family=family, margin=table.margin)
    together = pd.concat([statistics["p"], steps["p"]], ignore_index=True)
    statistics["p_holm"] = holm(together).iloc[: len(statistics)]
    statistics["verdict"] = judge(statistics)
    return pd.DataFrame(rows).join(statistics)


def _interactions(table: Table) -> pd.DataFrame:
    fitted = model(table)
    if fitted is None or fitted.fit is None:
        return pd.DataFrame({"p": pd.Series(dtype=float)})
    return fitted.fit.effects[fitted.fit.effects["order"] > 1].reset_index(drop=True)


def _row(table: Table, effect: Effect, at: str, macs: float) -> dict[str, Any]:
    return asdict(Comparison(*effect.change, at=at, against=table.baseline, macs=macs, note=effect.how))
