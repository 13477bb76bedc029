"""The files that tell how trials went: diagnosis.csv has their curves, diagnosis.json the sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from search.arms import Trial
from search.run_directory import write_atomically

SCHEMA = 1
COLUMNS = ("trial", "arm", "seed", "phase", "epoch", "stage", "name", "value")
WHO = ("trial", "arm", "seed", "phase")


def write_diagnosis(directory: Path, entries: Iterable[Mapping[str, Any]], finished: Mapping[str, Any]) -> None:
    """Writes both files from the record.

    Args:
        entries: All of the record.
        finished: The last ``finished`` entry of each trial that counts.
    """
    last = {(entry["event"], entry.get("trial")): entry for entry in entries}
    lesions = [entry for (event, trial), entry in last.items() if event == "lesion" and trial in finished]
    content = {
        "schema": SCHEMA,
        "data": last.get(("sanity", None), {}).get("found"),
        "findings": [
            {**_who(entry), **finding}
            for entry in finished.values()
            for finding in (entry.get("diagnosis") or {}).get("findings", ())
        ],
        "lesions": [
            {**_who(finished[entry["trial"]]), **{name: entry[name] for name in ("images", "accuracy", "blocks")}}
            for entry in lesions
        ],
    }
    write_atomically(directory / "diagnosis.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    lines = (line for entry in finished.values() for line in _lines(entry))
    write_atomically(directory / "diagnosis.csv", "".join([",".join(COLUMNS) + "\n", *lines]))


def numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the one number a trial of each kind that becomes a column of results.csv."""
    found: dict[str, Any] = (entry.get("diagnosis") or {}).get("numbers", {})
    return found


def lesion_trials(confirm: Iterable[Trial], finished: Mapping[str, Any]) -> list[Trial]:
    """Returns the best seed of each confirmed arm, by validation; none of arms whose recipe says ``diagnosis: off``."""
    best: dict[str, Trial] = {}
    for trial in confirm:
        entry = finished.get(trial.name, {})
        if entry.get("status") != "completed" or not entry.get("diagnosis"):
            continue
        rival = best.get(trial.arm)
        if rival is None or entry["val_accuracy"] > finished[rival.name]["val_accuracy"]:
            best[trial.arm] = trial
    return list(best.values())


def _who(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in WHO}


def _lines(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yields a trial's lines; names and numbers are ours, so that nothing needs quoting and thousands are quick."""
    told = entry.get("diagnosis") or {}
    who = ",".join(str(entry[name]) for name in WHO)
    for name, rows in told.get("curves", {}).items():
        for epoch, *values in rows:
            for stage, value in zip(told["stages"], values, strict=True):
                if value is not None:
                    yield f"{who},{epoch!r},{stage},{name},{value!r}\n"
