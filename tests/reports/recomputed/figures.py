"""Figures that show numbers of arms and comparisons, the map of two factors, where the time went, the network."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.formula.api import ols

from tests.reports.evidence import Row, Run


def check(run: Run) -> None:
    _of_arms(run)
    _of_comparisons(run)
    _lines(run)
    _cells(run)
    _time(run)
    _network(run)
    _latency(run)


def _of_arms(run: Run) -> None:
    every = {row["arm"]: row for row in run.rows("arms")}
    for name in ("accuracy_cost", "parallel", "selection"):
        for row in run.rows("figures", name):
            own, where = every[row["arm"]], f"figures.{name}"
            stage = {"validation, fresh seeds": "confirm_", "test, fresh seeds": "test_"}.get(row.get("stage", ""), "")
            for column in [key for key, value in row.items() if isinstance(value, int | float) and key in own]:
                value = own[f"{stage}{column}"]
                run.check(where, [row], column, [min(max(value, 0), 1) if column in ("low", "high") else value])
    run.check("figures.accuracy_cost", run.rows("figures", "accuracy_cost"), "tolerance", _tolerance(run))


def _tolerance(run: Run) -> list[float | None]:
    design = run.arms["design"]
    shown = design["tolerance"] if design["match"] in ("macs", "params", "activations") else None
    return [shown] * len(run.rows("figures", "accuracy_cost"))


def _of_comparisons(run: Run) -> None:
    compared = {(row["change"], row["at"]): row for row in run.rows("comparisons")}
    rows = run.rows("figures", "forest")
    for row in rows:
        own = compared[row["change"], row["at"]]
        run.check_row("figures.forest", row, {name: own[name] for name in ("effect", "low", "high", "pairs", "macs")})
        run.check("figures.forest", [row], "margin", [run.record["margin"]])
    for name in ("forest", "selection"):  # where a line stands, from the top
        places = [row["order"] for row in run.rows("figures", name)]
        assert sorted(set(places)) == list(range(len(set(places))))
        run.seen.add((f"figures.{name}", "order"))


def _lines(run: Run) -> None:
    """Lines across the axes: each place is the value's share of its axis."""
    rows = run.rows("figures", "parallel")
    if not rows:
        return
    for name in [key for key in rows[0] if key.startswith("at:")]:
        run.seen.add(("figures.parallel", name))
        places = {round(row[name], 9) for row in rows}
        assert {0.0, 1.0} <= places or places == {0.5}
    run.check("figures.parallel", rows, "at:accuracy", _spread([row["mean"] for row in rows]))
    run.check("figures.parallel", rows, "at:MACs", _spread([np.log(row["macs"]) for row in rows]))


def _spread(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.5 for value in values]


def _cells(run: Run) -> None:
    """Each cell's mean, and what an additive model of its pair's rows and columns leaves of it."""
    where, means = "figures.interactions", run.wide().mean()
    rows = run.rows("figures", "interactions")
    for pair in dict.fromkeys(row["pair"] for row in rows):
        own = [row for row in rows if row["pair"] == pair]
        names = [own[0][side].split(" and ")[0] for side in ("rows", "columns")]
        levels = run.levels[names].set_axis(["r", "c"], axis=1).assign(y=means.reindex(run.levels.index)).dropna()
        groups = levels.groupby(["r", "c"])["y"]
        cells = groups.mean().reset_index()
        keys = [(_first(row["row"]), _first(row["column"])) for row in own]
        found = cells.set_index(["r", "c"])["y"]
        run.check(where, own, "mean", [found[key] for key in keys])
        run.check(where, own, "arms", [groups.size()[key] for key in keys])
        _interaction(run, where, own, cells, keys)


def _first(level: str) -> str:
    return str(level).split(", ")[0]


def _interaction(run: Run, where: str, own: list[Row], cells: pd.DataFrame, keys: list[tuple[str, str]]) -> None:
    if len(cells) < cells["r"].nunique() * cells["c"].nunique():  # where a pair was not run there is none to be had
        run.check(where, own, "interaction", [None] * len(own))
        return
    left = cells.assign(left=ols("y ~ r + c", cells).fit().resid).set_index(["r", "c"])["left"]
    run.check(where, own, "interaction", [left[key] for key in keys])


def _time(run: Run) -> None:
    rows, where = run.rows("figures", "spending"), "figures.spending"
    owners = {entry["arm"]: entry["of"] for entry in run.arms["derived"] or []}
    trials = run.trials.assign(owner=[owners.get(arm, arm) for arm in run.trials["arm"]])
    named = {row["arm"] for row in rows}
    for row in rows:
        own = trials[trials["status"] == row["status"]]
        if row["by"] == "phase":
            own = own[own["phase"] == row["what"]]
        else:
            random = own["phase"] == "random"
            one = (own["owner"] == row["arm"] if row["arm"] else ~own["owner"].isin(named)) & ~random
            own = own[random if row["what"] == "random search" else one]
        run.check_row(where, row, {"seconds": own["train_seconds"].sum(), "trials": len(own)})
    ended = trials["status"].isin(["completed", "stopped", "diverged", "failed"]).sum()
    for by in ("phase", "arm") if rows else ():  # nothing is left out, and nothing there twice
        assert sum(row["trials"] for row in rows if row["by"] == by) == ended


def _network(run: Run) -> None:
    rows, where = run.rows("figures", "network"), "figures.network"
    if not rows:
        return
    chosen = run.record["selection"]["winner"]
    assert {row["arm"] for row in rows} == {chosen["arm"] if chosen else run.baseline}
    blocks = run.entries[rows[0]["arm"]]["blocks"]
    parts: dict[str, list[Row]] = {}
    for block in blocks:
        stage = block["name"].split(".")
        parts.setdefault(f"stage {int(stage[1]) + 1}" if stage[0] == "stages" else block["name"], []).append(block)
    for row, (name, own) in zip(rows, parts.items(), strict=True):
        assert row["part"] == name
        costs = {cost: sum(block[cost] for block in own) for cost in ("macs", "params", "activations")}
        run.check_row(where, row, {**costs, "blocks": len(own)})


def _latency(run: Run) -> None:
    """What was measured of the arms, beside their accuracies."""
    rows, arms = run.rows("figures", "latency"), {row["arm"]: row for row in run.rows("arms")}
    measured = pd.read_csv(run.folder / "latency.csv").to_dict("records") if rows else []
    told = {(each["arm"], each["runtime"], each["batch"]): each for each in measured if each["arm"] in arms}
    assert len(rows) == len(told)
    for row in rows:
        own = told[row["arm"], row["runtime"], row["batch"]]
        expected = {name: own[name] for name in ("batch", "threads", "median", "bytes", "loaded")}
        expected |= {"fast": own["low"], "slow": own["high"]}
        run.check_row("figures.latency", row, expected | {name: arms[row["arm"]][name] for name in ("mean", "n")})
        for name in ("low", "high"):
            run.check("figures.latency", [row], name, [arms[row["arm"]][name]])
