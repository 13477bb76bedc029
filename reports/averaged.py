"""The comparisons of a factorial: main effects, as the arms are, at equal cost, and with recipes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from reports.comparison import BOTH, MATCHED, RAW, TUNED, Comparison, accuracies, tuned
from reports.main_effects import Effect, main_effects
from reports.model import model
from reports.statistics import SIGNIFICANCE, Verdict, holm, paired
from reports.statistics.verdicts import judge
from reports.table import Table


def averaged(table: Table) -> pd.DataFrame:
    """Compares each level with the baseline's, averaged over the settings of the other factors."""
    accuracy = accuracies(table)
    rows: list[dict[str, Any]] = []
    differences: dict[int, pd.Series] = {}
    weighed: dict[int, list[str]] = {}
    one_sided: list[int] = []
    for comparison, effect in _main_effects(table):
        if len(effect.weights):
            # A seed counts only with all its settings: a mean over fewer would compare different networks.
            scores = accuracy[effect.weights.index].to_numpy() @ effect.weights.to_numpy()
            differences[len(rows)] = pd.Series(scores, index=accuracy.index)
            weighed[len(rows)] = effect.weights.index.tolist()
        one_sided += [len(rows)] if effect.one_sided else []
        rows.append(asdict(comparison))
    if not rows:
        return pd.DataFrame()
    steps = modelled_interactions(table)
    frame = pd.DataFrame(differences, index=accuracy.index)
    statistics = paired(frame, planned=len(accuracy), family=len(rows) + len(steps), margin=table.margin)
    statistics["p_holm"] = _in_family(statistics["p"], steps["p"], len(rows) + len(steps))
    statistics["verdict"] = judge(statistics)
    untold = statistics.index.isin(one_sided) & statistics["verdict"].isin([Verdict.DETECTED, Verdict.EQUIVALENT])
    weaker = np.where(statistics["p"] < SIGNIFICANCE, Verdict.SUGGESTIVE, Verdict.NOT_DETECTED)
    statistics["verdict"] = statistics["verdict"].where(~untold, weaker)
    joined = pd.DataFrame(rows).join(statistics)
    joined["verdict"] = joined["verdict"].astype(object).where(joined["verdict"].notna(), None)
    joined[["pairs", "planned"]] = joined[["pairs", "planned"]].fillna(0).astype(int)
    for place in joined.index[joined["pairs"] < joined["planned"]].tolist():
        parts = [_mishaps(table, weighed[int(place)]), str(joined.at[place, "note"])]
        joined.at[place, "note"] = ", ".join(part for part in parts if part)
    return joined


def _mishaps(table: Table, arms: list[str]) -> str:
    """Says why seeds are missing: what became of the trials of the arms that an effect weighs."""
    trials = table.trials[(table.trials["phase"] == "explore") & table.trials["arm"].isin(arms)]
    ends = trials.loc[trials["status"] != "completed", "status"].value_counts()
    absent = len(arms) * len(table.design.seeds) - len(trials.drop_duplicates(["arm", "seed"]))
    said = [f"{number} {status}" for status, number in ends.items()]
    return ", ".join([*said, *([f"{absent} not run yet"] if absent > 0 else [])])


def _in_family(mains: pd.Series, steps: pd.Series, family: int) -> pd.Series:
    """Returns Holm's p of main effects, in one family with the interactions; what was not made counts as p = 1."""
    together = holm(pd.concat([mains, steps], ignore_index=True), family)
    return pd.Series(together.to_numpy()[: len(mains)], index=mains.index)


def _main_effects(table: Table) -> Iterator[tuple[Comparison, Effect]]:
    """Yields each level's main effect as the arms are, tuned, at equal cost, and both."""
    own = {str(arm): str(arm) for arm in table.cells}
    twins = _twins(table, own)
    terms = {RAW: own, TUNED: _all_tuned(table, own), MATCHED: twins, BOTH: _all_tuned(table, twins)}
    found = {at: list(main_effects(table, standing)) for at, standing in terms.items() if standing is not None}
    for place, raw in enumerate(found[RAW]):
        used = set(raw.weights.index)
        same = bool(used) and twins is not None and all(twins.get(arm) == arm for arm in used)
        for at, effects in found.items():
            effect = effects[place]
            if (at in (MATCHED, BOTH) and same) or (at in (TUNED, BOTH) and _no_other(effect, found, at, place)):
                continue
            kept = at == RAW and table.tuning is not None and _no_other(found[TUNED][place], found, TUNED, place)
            yield _as_comparison(table, effect, at, same=same and at == RAW, kept=kept), effect


def _no_other(effect: Effect, found: Mapping[str, list[Effect]], at: str, place: int) -> bool:
    """Whether tuning changed none of the arms of an effect."""
    return set(effect.weights.index) == set(found[RAW if at == TUNED else MATCHED][place].weights.index)


def _all_tuned(table: Table, standing: Mapping[str, str] | None) -> dict[str, str] | None:
    if table.tuning is None or standing is None:
        return None
    return {cell: tuned(table, arm) for cell, arm in standing.items()}


def _twins(table: Table, own: Mapping[str, str]) -> dict[str, str] | None:
    """Returns the twin of each arm that has one; None if the study holds no cost equal."""
    if table.design.match is None:
        return None
    found = {arm: table.arms.at[arm, "twin"] for arm in own}
    run = table.arms.index[table.arms["status"] == "run"]
    return {arm: str(twin) for arm, twin in found.items() if twin in run}


def _as_comparison(table: Table, effect: Effect, at: str, *, same: bool, kept: bool) -> Comparison:
    """Returns a main effect as a comparison, at the geometric mean of the costs that it weighs."""
    weights = effect.weights
    macs, gap = np.nan, np.nan
    if len(weights):
        macs = float(np.exp((np.log(table.arms.loc[weights.index, "macs"]) * weights).sum()) - 1)
        if same or at in (MATCHED, BOTH):
            cost = table.arms.loc[weights.index, str(table.design.match)]
            gap = float(np.exp((np.log(cost) * weights).sum()) - 1)
    comparison = Comparison(*effect.change, at=at, macs=macs, gap=gap, same=same, kept=kept, note=effect.how)
    return replace(comparison, against=table.baseline)


def modelled_interactions(table: Table) -> pd.DataFrame:
    """Returns the interaction contrasts of the model; none where it was refused."""
    fitted = model(table)
    if fitted is None or fitted.fit is None:
        return pd.DataFrame({"p": pd.Series(dtype=float)})
    return fitted.fit.effects[fitted.fit.effects["order"] > 1].reset_index(drop=True)
