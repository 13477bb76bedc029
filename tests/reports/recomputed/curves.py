"""Learning curves, and accuracy by level of each numeric factor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.reports.evidence import Floats, Row, Run, interval, numbers
from tests.reports.recomputed.effects import whole


def check(run: Run) -> None:
    _curves(run)
    _levels(run)


def _curves(run: Run) -> None:
    trials, epochs = run.trials, run.epochs
    ends = {
        status: set(trials.loc[(trials["status"] == status) & (trials["phase"] == run.main), "trial"])
        for status in ("completed", "stopped")
    }
    completed = epochs[epochs["trial"].isin(ends["completed"])]
    rows, where = run.rows("figures", "learning_curves"), "figures.learning_curves"
    shown = {row["arm"] for row in rows if not row["stopped"]}
    others = completed[~completed["arm"].isin(shown)].groupby(["arm", "epoch"])["val_accuracy"].mean()
    last = epochs[epochs["trial"].isin(ends["stopped"])].groupby("trial").last()
    for row in rows:
        if row["stopped"]:
            own = last[last["epoch"] == row["epoch"]]
            own = own.loc[own["arm"] == row["arm"] if row["arm"] else own.index == own.index, "val_accuracy"]
            expected = (own.mean(), own.min(), own.max(), len(own))
        elif not row["arm"]:
            own = others.xs(row["epoch"], level="epoch")
            expected = (own.median(), own.quantile(0.1), own.quantile(0.9), len(own))
        else:
            own = completed.loc[(completed["arm"] == row["arm"]) & (completed["epoch"] == row["epoch"]), "val_accuracy"]
            expected = (own.mean(), own.min(), own.max(), len(own))
        run.check_row(where, row, dict(zip(("mean", "low", "high", "n"), expected, strict=True)))
    run.seen.add((where, "epoch"))


def _levels(run: Run) -> None:
    where = "figures.trends"
    for row in run.rows("figures", "trends"):
        own = _of_level(run, row)
        low, high = interval(own)
        ends = {"low": None if np.isnan(low) else max(low, 0), "high": None if np.isnan(high) else min(high, 1)}
        run.check_row(where, row, {"n": len(own), "mean": own.mean(), **ends})
    run.seen.add((where, "level"))


def _of_level(run: Run, row: Row) -> Floats:
    """Returns what a point of the trends is the mean of: seeds of one arm, seeds over arms, or arms."""
    factor, series = row["factor"].split(" and ")[0], row["series"]
    every = {arm: entry for arm, entry in run.entries.items() if arm in run.wide()}
    chosen = [arm for arm in every if _number(every[arm]["levels"][factor]) == row["level"]]
    if series.startswith(("its own", "equal")):
        others = [name for name in run.base if name not in row["factor"].split(" and ")]
        chosen = [arm for arm in chosen if all(every[arm]["levels"][name] == run.base[name] for name in others)]
        chosen = [arm for arm in chosen if (every[arm]["tuned_of"] is not None) == series.endswith("tuned")]
        if _number(run.base[factor]) != row["level"]:
            chosen = [arm for arm in chosen if (every[arm]["match"] != "none") == series.startswith("equal")]
        (arm,) = chosen
        return numbers(run.scores(arm))
    if row["over"] == "seeds":
        chosen = [arm for arm in chosen if arm in run.levels.index and whole(run, arm)]
        return numbers(run.wide()[chosen].mean(axis=1, skipna=False))
    many = len({entry["levels"][factor] for entry in every.values()}) > 12
    return numbers(run.wide()[_binned(run, row) if many else chosen].mean())


def _binned(run: Run, row: Row) -> list[str]:
    """Returns the arms of the bin of equal counts whose mean level is the row's."""
    own = pd.Series(
        {arm: _number(entry["levels"][row["factor"]]) for arm, entry in run.entries.items() if arm in run.wide()}
    )
    for _, part in own.groupby(pd.qcut(own, 8, duplicates="drop"), observed=True):
        if part.mean() == pytest.approx(row["level"]):
            return [str(arm) for arm in part.index]
    raise AssertionError(row)


def _number(level: str) -> float:
    return float(level) if level.replace(".", "", 1).lstrip("-").isdigit() else np.nan
