"""The files of a run directory that are made from the plan and the record: arms.json, results.csv, epochs.csv."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blocks.source import dotted
from search.columns import EPOCH_COLUMNS, FIXED_COLUMNS
from search.plan import Arm, Plan, difference
from search.record import write_atomically

SCHEMA = 1

Entries = list[dict[str, Any]]


def latest(entries: Entries, event: str) -> dict[str, dict[str, Any]]:
    """Returns the last entry of an event for every trial, by the trial's name, in order of first appearance."""
    return {entry["trial"]: entry for entry in entries if entry["event"] == event}


def write_outputs(directory: Path, plan: Plan, entries: Entries) -> None:
    """Writes arms.json, results.csv and epochs.csv, each whole or not at all."""
    write_atomically(
        directory / "arms.json", json.dumps(arms_table(plan, entries), indent=1, ensure_ascii=False) + "\n"
    )
    finished, tested = latest(entries, "finished"), latest(entries, "tested")
    rows = [_result(plan, entry, tested.get(name, {})) for name, entry in finished.items() if entry["arm"] in plan.arms]
    columns = [*FIXED_COLUMNS, *(variable.name for variable in plan.space.variables)]
    write_atomically(directory / "results.csv", _csv(columns, rows))
    epochs = [{**entry, **epoch} for entry in finished.values() for epoch in entry.get("epochs", ())]
    write_atomically(directory / "epochs.csv", _csv(EPOCH_COLUMNS, epochs))


def arms_table(plan: Plan, entries: Entries) -> dict[str, Any]:
    """Returns the content of arms.json: every arm resolved, costed block by block, and what was chosen."""
    spec = plan.study.spec
    match = getattr(spec.design, "match", None)
    passed_over = [entry.get("passed_over", {}) for entry in entries if entry["event"] == "arm"]
    return {
        "schema": SCHEMA,
        "baseline": plan.baseline.arm,
        "input": list(plan.baseline.configuration.input),
        "design": {
            "kind": spec.design.kind,
            "seeds": list(plan.seeds),
            "match": match.cost if match else None,
            "tolerance": match.tolerance if match else None,
            "family": None,
            "proposals_passed_over": {
                status: sum(counts.get(status, 0) for counts in passed_over) for status in ("rejected", "duplicate")
            },
        },
        "factors": [
            _factor(plan, name) for name in dict.fromkeys(variable.factor for variable in plan.space.variables)
        ],
        "arms": [_arm(plan, arm) for arm in plan.rows],
        "selection": selection(entries),
    }


def selection(entries: Entries) -> dict[str, Any]:
    """Returns what was chosen, and when the test split was opened, from the record."""
    last = {entry["event"]: entry for entry in entries}
    opened = [entry["time"] for entry in entries if entry["event"] == "test_opened"]
    winner = last.get("winner")
    return {
        "finalists": last.get("finalists", {}).get("arms", []),
        "winner": {"arm": winner["arm"], "seed": winner["seed"], "weights": "winner.safetensors"} if winner else None,
        "test_opened": opened[0] if opened else None,
        "test_openings": opened,
    }


def _factor(plan: Plan, name: str) -> dict[str, Any]:
    variables = [variable for variable in plan.space.variables if variable.factor == name]
    listed = variables[0].listed() if variables[0].same_as is None else None
    return {
        "name": name,
        "columns": [variable.name for variable in variables],
        "levels": [level.label for level in listed] if listed else None,
        "baseline": variables[0].baseline,
        "baselines": {variable.name: variable.baseline for variable in variables},
        "path": dotted(variables[0].path) if variables[0].path else None,
    }


def _arm(plan: Plan, arm: Arm) -> dict[str, Any]:
    own = arm.configuration
    row: dict[str, Any] = {
        "arm": arm.arm,
        "label": arm.label,
        "levels": arm.levels,
        "status": arm.status,
        "reason": arm.reason,
        "match": arm.match,
        "match_of": arm.match_of,
        "twin": arm.twin,
        "unmatched": arm.unmatched,
        "multiplier": arm.multiplier,
        "gap": arm.gap,
        "cost": None,
    }
    if arm.cost is None:
        return row
    row |= {"cost": _cost(arm.cost), **own.plain(), "diff": difference(plan.baseline.configuration, own)}
    row |= {"inner_channels": own.network.inner_channels, "out_channels": own.network.out_channels}
    if arm.status == "run":
        row["blocks"] = [
            {"name": block.name, "kind": block.kind, "output": list(block.output), **_cost(block.cost)}
            for block in own.network.cost_by_block(own.input)
        ]
    return row


def _cost(cost: Any) -> dict[str, int]:
    return {"macs": cost.macs, "params": cost.params, "activations": cost.activations}


def _result(plan: Plan, entry: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
    arm = plan.arms[entry["arm"]]
    network = arm.configuration.network
    last = entry["epochs"][-1] if entry.get("epochs") else {}
    return {
        **last,
        **entry,
        **{key: tested[key] for key in ("test_accuracy",) if key in tested},
        **_cost(arm.cost),
        **arm.levels,
        "match": arm.match,
        "inner_channels": network.inner_channels,
        "out_channels": network.out_channels,
        "epochs": len(entry.get("epochs", ())),
        "threads": arm.configuration.train.threads,
    }


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(columns)
    writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    """Returns a cell's text. A spreadsheet runs text that begins like a formula, so that gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    number = re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not number else text
