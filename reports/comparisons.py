"""The comparisons that a design declares: each change against the baseline, at its own cost and at equal cost.

The family for Holm's correction is all of them together, raw and matched, each distinct arm once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.changes import Change, describe, step
from reports.statistics import Verdict, effects, paired
from reports.table import Table

DECLARED = ("one_at_a_time", "leave_one_out", "list", "factorial")
COST_NAMES = {"macs": "MACs", "params": "parameters", "activations": "activations", "out_channels": "output channels"}


@dataclass(frozen=True)
class Comparison:
    """A comparison that was declared.

    Attributes:
        change: What is changed, in words.
        factor: What is varied.
        level: To what.
        at: "raw" (at its own cost) or "matched" (its twin, at the baseline's cost).
        arm: The arm that stands for it, if it is one arm that was run.
        macs: Its MACs relative to the baseline's, minus 1.
        gap: The same for the matched cost; missing for raw comparisons, but for those at equal cost.
        same: Whether a raw comparison is at equal cost as it stands, and so has no matched one beside it.
        note: Why it was not made, or is incomplete.
    """

    change: str
    factor: str
    level: str
    at: str = "raw"
    arm: str | None = None
    macs: float = np.nan
    gap: float = np.nan
    same: bool = False
    note: str = ""


def comparisons(table: Table) -> pd.DataFrame:
    """Returns one row a comparison, in the study's order; none for designs that declare no comparisons.

    Columns: those of :class:`Comparison`, then those of :func:`reports.statistics.paired`.
    """
    if table.design.kind not in DECLARED:
        return pd.DataFrame()
    return _main_effects(table) if table.design.kind == "factorial" else _against_baseline(table)


def why_no_verdict(row: Mapping[Any, Any]) -> str:
    """Says why a comparison that was made has no verdict, or nothing if it has one."""
    if row["verdict"] != Verdict.NONE:
        return ""
    if row["pairs"] == 0:
        return "no complete pair of seeds"
    if row["pairs"] == 1:
        return "one seed: no interval" if row["planned"] == 1 else "one pair of seeds: no interval yet"
    return "the differences do not vary over seeds"


def _against_baseline(table: Table) -> pd.DataFrame:
    rows = pd.DataFrame([asdict(declared) for declared in _declared(table)])
    if rows.empty:
        return rows
    wanted = [table.baseline, *dict.fromkeys(arm for arm in rows["arm"].dropna() if arm != table.baseline)]
    trials = table.phase("explore")
    # Every planned pair has a row, so that an arm without a single result is still a comparison, of no pairs.
    grid = pd.MultiIndex.from_product([wanted, _seeds(table)], names=["arm", "seed"])
    measured = trials.drop_duplicates(["arm", "seed"]).set_index(["arm", "seed"])["val_accuracy"]
    statistics = effects(
        measured.reindex(grid).reset_index(),
        baseline=table.baseline,
        by="arm",
        family=max(table.design.family or 0, len(wanted) - 1),
        margin=table.margin,
    )
    rows = rows.merge(statistics, on="arm", how="left")
    rows["verdict"] = rows["verdict"].astype(object).where(rows["verdict"].notna(), None)
    rows[["pairs", "planned"]] = rows[["pairs", "planned"]].fillna(0).astype(int)
    short = rows["pairs"] < rows["planned"]
    rows.loc[short, "note"] = [_mishaps(table, trials, arm) for arm in rows.loc[short, "arm"]]
    return rows


def _declared(table: Table) -> Iterator[Comparison]:
    """Yields the raw comparison of each arm of the design and, where costs are matched, its twin's."""
    arms = table.arms[(table.arms["match"] == "none") & (table.arms.index != table.baseline)]
    macs = table.arms["macs"] / table.entry(table.baseline)["macs"] - 1
    for arm, status, reason in zip(arms.index, arms["status"], arms["reason"], strict=True):
        change = describe(table, arm)
        if status != "run":
            yield Comparison(*change, macs=macs[arm], note=f"{status}: {reason}")
            continue
        entry = table.entry(arm)
        same = table.design.match is not None and entry["twin"] == arm
        yield Comparison(*change, arm=arm, macs=macs[arm], gap=entry["gap"] if same else np.nan, same=same)
        if table.design.match is not None and not same:
            yield _twin(table, arm, change, macs)


def _twin(table: Table, arm: str, change: Change, macs: pd.Series) -> Comparison:
    own = table.entry(arm)
    twin = own["twin"]
    if twin is None or twin not in table.arms.index:
        return Comparison(*change, at="matched", note=f"unmatched: {own['unmatched'] or 'no twin was planned'}")
    entry = table.entry(twin)
    if entry["status"] != "run":
        return Comparison(*change, at="matched", note=f"the twin is {entry['status']}: {entry['reason']}")
    return Comparison(*change, at="matched", arm=twin, macs=macs[twin], gap=entry["gap"])


def _mishaps(table: Table, trials: pd.DataFrame, arm: str) -> str:
    """Says why pairs are missing: what became of the trials of the arm and of the baseline."""
    said = []
    for name, whose in ((arm, ""), (table.baseline, "of the baseline ")):
        own = trials[trials["arm"] == name]
        lost = own[own["status"] != "completed"]["status"].value_counts()
        absent = len(table.design.seeds) - own["seed"].nunique()
        said += [f"{number} {whose}{status}" for status, number in lost.items()]
        said += [f"{absent} {whose}not run yet"] if absent > 0 else []
    return ", ".join(said)


def _seeds(table: Table) -> list[float]:
    """Returns the seeds of the design, and any other that the explore phase has used."""
    used = table.trials.loc[table.trials["phase"] == "explore", "seed"].unique().tolist()
    return list(dict.fromkeys([*map(float, table.design.seeds), *sorted(used)]))


def _main_effects(table: Table) -> pd.DataFrame:
    """Compares each level with the baseline's, averaged over the settings of the other factors that have both."""
    run = table.arms.index[(table.arms["status"] == "run") & (table.arms["match"] == "none")]
    trials = table.phase("explore")
    trials = trials[trials["arm"].isin(run)].drop_duplicates(["arm", "seed"])
    accuracy = trials.pivot(index="seed", columns="arm", values="val_accuracy")
    accuracy = accuracy.reindex(index=_seeds(table), columns=run)
    rows: list[dict[str, Any]] = []
    differences: dict[int, pd.Series] = {}
    for change, changed, unchanged in _contrasts(table, run):
        contrast = accuracy[changed].to_numpy() - accuracy[unchanged].to_numpy()  # seeds, settings
        # A seed counts only with all its settings: a mean over fewer would compare different networks.
        differences[len(rows)] = pd.Series(contrast.mean(axis=1), index=accuracy.index)
        ratios = table.arms.loc[changed, "macs"].to_numpy() / table.arms.loc[unchanged, "macs"].to_numpy()
        macs = float(np.exp(np.log(ratios).mean()) - 1)
        note = f"mean of {len(changed)} settings of the other factors"
        rows.append(asdict(Comparison(*change, macs=macs, note=note)))
    if not rows:
        return pd.DataFrame()
    statistics = paired(pd.DataFrame(differences), planned=len(accuracy), margin=table.margin)
    return pd.DataFrame(rows).join(statistics)


def _contrasts(table: Table, run: pd.Index) -> Iterator[tuple[Change, list[str], list[str]]]:
    """Yields each level with the arms that have it, and those that have the baseline's level and are else the same."""
    levels = table.levels.loc[run]
    for column in levels.columns:
        others = [name for name in levels.columns if name != column]
        settings = list(zip(*(levels[name] for name in others), strict=True)) if others else [()] * len(levels)
        arm_of = dict(zip(zip(levels[column], settings, strict=True), run, strict=True))
        base = str(table.levels.at[table.baseline, column])
        for level in levels[column].unique():
            both = [s for s in dict.fromkeys(settings) if (level, s) in arm_of and (base, s) in arm_of]
            if level != base and both:
                change = Change(step(str(column), base, level), str(column), str(level))
                yield change, [arm_of[level, s] for s in both], [arm_of[base, s] for s in both]
