"""The files of a run directory that are made from the plan and the record: arms.json and the tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from blocks.source import dotted
from search.additions import additions
from search.arms import Arm, Derived
from search.columns import EPOCH_COLUMNS, FIXED_COLUMNS
from search.designs.base import AdaptiveDesign
from search.designs.search import Search
from search.diagnosis import numbers, write_diagnosis
from search.latencies import Latency, write_latencies
from search.plan import Plan, difference
from search.prescreen import proxy_scores
from search.record import OPENED_BESIDE
from search.run_directory import write_atomically

SCHEMA = 1

IMAGE_COLUMNS = ["trial", "split", "images", "correct"]

MADE = (
    "study.yaml", "environment.json", "arms.json", "results.csv", "epochs.csv", "images.csv", "diagnosis.json",
    "diagnosis.csv",
)  # fmt: skip
"""The files of a run that its driver alone makes, of the plan and the record; their hashes are kept in the record."""

Entries = list[dict[str, Any]]


def latest(entries: Entries, event: str) -> dict[str, dict[str, Any]]:
    """Returns the last entry of an event for every trial, by the trial's name, in the order in which these came.

    A trial that was stopped and went on later, or was run again, stands where it ended last: what the report shows over
    time would otherwise know its final score at its first stop.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry["event"] == event:
            found.pop(entry["trial"], None)
            found[entry["trial"]] = entry
    return found


def write_outputs(directory: Path, plan: Plan, entries: Entries) -> None:
    """Writes arms.json, results.csv, epochs.csv, images.csv and the diagnosis, each whole or not at all."""
    write_atomically(directory / "arms.json", _a_line_each(arms_table(plan, entries)))
    tested = latest(entries, "tested")
    finished = {name: entry for name, entry in latest(entries, "finished").items() if plan.find(entry["arm"])}
    rows = [_result(plan, entry, tested.get(name, {})) for name, entry in finished.items()]
    columns = [*FIXED_COLUMNS, *(variable.name for variable in plan.space.variables)]
    write_atomically(directory / "results.csv", _csv(columns, rows))
    epochs = [{**entry, **epoch} for entry in finished.values() for epoch in entry.get("epochs", ())]
    write_atomically(directory / "epochs.csv", _csv(EPOCH_COLUMNS, epochs))
    images = [row for name, entry in finished.items() for row in _images(entry, tested.get(name, {}))]
    write_atomically(directory / "images.csv", _csv(IMAGE_COLUMNS, images))
    write_diagnosis(directory, entries, finished)
    if plan.stopwatch.wanted:
        write_latencies(directory, _latencies(plan), replace=False)  # what ``search.latency`` measured there is later


def _prescreen(design: AdaptiveDesign, entries: Entries) -> dict[str, Any] | None:
    spec = design.prescreen if isinstance(design, Search) else None
    if spec is None:
        return None
    return {"proxy": spec.proxy.kind, "candidates": spec.candidates, "scores": proxy_scores(entries)}


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
            "match_by": match.by if match else None,
            "vary": list(spec.design.vary),
            **_of_search(plan, entries),
            **dict.fromkeys(("fraction", "spaces", "cost_band", "acceptance")),
            **plan.facts,
            "family": None,
            "proposals_passed_over": {
                status: sum(counts.get(status, 0) for counts in passed_over) for status in ("rejected", "duplicate")
            },
        },
        "factors": [
            _factor(plan, name) for name in dict.fromkeys(variable.factor for variable in plan.space.variables)
        ],
        "arms": [_arm(plan, arm) for arm in plan.rows],
        "derived": [_derived(other) for other in plan.derived.values() if other.arm not in plan.arms],
        "tuning": plan.tuning.table(latest(entries, "finished")) if plan.tuning else None,
        "fidelity": plan.fidelity.table(sampled(plan, entries)) if plan.fidelity else None,
        "additions": additions(entries),
        "selection": selection(entries),
    }


def _of_search(plan: Plan, entries: Entries) -> dict[str, Any]:
    """Returns what is told of a search: its budget, its rungs, and the share of its race."""
    design = plan.study.spec.design
    if not isinstance(design, AdaptiveDesign):
        return {}
    stopping, full = design.early_stopping, plan.baseline.configuration.train.epochs
    return {
        "budget": design.budget.named if design.budget else {"trials": design.trials},
        "rungs": list(stopping.epochs(full)) if stopping else None,
        "eta": stopping.eta if stopping else None,
        "racing": design.racing,
        "sampler": _sampler(plan),
        "prescreen": _prescreen(design, entries),
        "known": [{"run": entry["run"], "arms": len(entry["arms"])} for entry in entries if entry["event"] == "known"],
    }


def _sampler(plan: Plan) -> dict[str, str] | None:
    design = plan.study.spec.design
    if not isinstance(design, Search):
        return None
    chosen, why = design.sampler.choice(plan, design)
    return {"kind": chosen.kind, "why": why}


def _a_line_each(content: Mapping[str, Any]) -> str:
    """Returns plain data as JSON, a line a field and, in lists of objects, a line an object.

    Indenting all would take json's slow way: twenty seconds and 60 MB for 10,000 arms.
    """

    def plain(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    fields = []
    for name, value in content.items():
        listed = isinstance(value, list) and value and isinstance(value[0], dict)
        text = "[\n " + ",\n ".join(map(plain, value)) + "\n]" if listed else plain(value)
        fields.append(f"{plain(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def sampled(plan: Plan, entries: Entries) -> list[str]:
    """Returns the arms that were sampled last for the check of short runs, less those that are no longer there."""
    samples = [entry["arms"] for entry in entries if entry["event"] == "fidelity"]
    return [arm for arm in samples[-1] if arm in plan.arms] if samples else []


def selection(entries: Entries) -> dict[str, Any]:
    """Returns what was chosen, and when the test split was opened, from the record."""
    last = {entry["event"]: entry for entry in entries}
    ledger = [entry for entry in entries if entry["event"] in ("test_opened", OPENED_BESIDE)]
    opened = [entry["time"] for entry in ledger]
    winner = last.get("winner")
    return {
        "finalists": last.get("finalists", {}).get("arms", []),
        "winner": {"arm": winner["arm"], "seed": winner["seed"], "weights": "winner.safetensors"} if winner else None,
        "test_opened": opened[0] if opened else None,
        "test_openings": opened,
        "ledger": [{key: entry.get(key) for key in ("time", "arms", "trials", "winner", "why")} for entry in ledger],
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
        "tuned": plan.tuning.kept.get(arm.arm) if plan.tuning else None,
        "tuned_of": arm.tuned_of,
        "cost": None,
    }
    if arm.cost is None:
        return row
    medians = {name: timing.median for name, timing in arm.latency.items()}
    row |= {"latency": {name: timing._asdict() for name, timing in arm.latency.items()}}
    row |= {"cost": _cost(arm.cost) | medians, **own.plain(), "diff": difference(plan.baseline.configuration, own)}
    row |= {"inner_channels": own.network.inner_channels, "out_channels": own.network.out_channels}
    if arm.status == "run":
        row["blocks"] = [
            {"name": block.name, "kind": block.kind, "output": list(block.output), **_cost(block.cost)}
            for block in own.network.cost_by_block(own.input)
        ]
    return row


def _derived(other: Derived) -> dict[str, Any]:
    row = {"arm": other.arm, "of": other.of, "role": other.role, "changes": other.changes}
    return {**row, "cost": _cost(other.cost)}


def _cost(cost: Any) -> dict[str, int]:
    return {"macs": cost.macs, "params": cost.params, "activations": cost.activations}


def _result(plan: Plan, entry: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
    arm = plan.find(entry["arm"])
    assert arm is not None
    of = arm if isinstance(arm, Arm) else plan.arms[arm.of]
    levels = of.levels if isinstance(arm, Arm) or arm.levels is None else arm.levels
    network = arm.configuration.network
    last = entry["epochs"][-1] if entry.get("epochs") else {}
    return {
        **last,
        **entry,
        **numbers(entry),
        **{key: tested[key] for key in ("test_accuracy",) if key in tested},
        **_cost(arm.cost),
        **levels,
        "match": of.match,
        "tuned": "yes" if of.tuned_of else "no",
        "inner_channels": network.inner_channels,
        "out_channels": network.out_channels,
        "epochs": last.get("epoch", 0),
        "threads": arm.configuration.train.threads,
        **{name: timing.median for name, timing in of.latency.items()},
    }


def _latencies(plan: Plan) -> Iterator[Latency]:
    """Yields the rows of latency.csv that the plan itself has measured."""
    for arm in plan.arms.values():
        for time in arm.latency.values():
            cost = arm.cost
            assert cost is not None
            yield Latency(
                arm.arm, arm.label, time.runtime, time.precision, time.batch, time.threads, time.median, time.low,
                time.high, time.runs, cost.macs, cost.params, time.bytes, time.loaded, time.machine, time.date,
                time.provider,
            )  # fmt: skip


def _images(entry: Mapping[str, Any], tested: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns which images of each split a trial got right, where it got to the end."""
    name = entry["trial"]
    found = [
        {"trial": name, "split": "validation", "images": entry.get("val_images"), "correct": entry.get("correct")},
        {"trial": name, "split": "test", "images": tested.get("test_images"), "correct": tested.get("test_correct")},
    ]
    return [row for row in found if row["images"] and row["correct"]]


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
