"""What opens from an arm: its difference, its spec, its trials, its curves."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from tests.reports.evidence import Run


def check(run: Run) -> None:
    found = run.record["panels"]
    entries = {entry["arm"]: entry for entry in run.arms["arms"]} | run.entries  # an arm before what repeats it
    assert run.record["baseline"] == found["baseline"] == run.baseline
    assert set(found["arms"]) <= set(entries)
    assert found["left"] == 0
    epochs = dict(list(run.epochs.groupby("trial")))
    for arm, own in found["arms"].items():
        entry = entries[arm]
        assert [own["label"], own["status"], own["costs"]] == [_label(run, entry), entry["status"], entry["cost"]]
        assert patched(found["spec"], own["patch"]) == {part: entry[part] for part in ("network", "train", "data")}
        trials = run.trials[run.trials["arm"] == arm]
        assert len(own["trials"]) == len(trials)
        for row, trial in zip(own["trials"], trials.to_dict("records"), strict=True):
            for name, value in zip(found["columns"], row, strict=True):
                expected = None if trial[name] != trial[name] else trial[name]
                assert value == (pytest.approx(expected, abs=5.1e-6) if isinstance(expected, float) else expected)
        curves = [epochs[trial] for trial in trials["trial"] if trial in epochs]
        assert [curve["seed"] for curve in own["curves"]] == [curve["seed"].iloc[0] for curve in curves]
        for curve, raw in zip(own["curves"], curves, strict=True):
            assert curve.get("x", list(range(1, len(curve["y"]) + 1))) == raw["epoch"].tolist()
            assert curve["y"] == pytest.approx(raw["val_accuracy"].tolist(), abs=5.1e-6)


def _label(run: Run, entry: dict[str, Any]) -> str:
    """An arm of a list is called by its name alone."""
    return str(entry["label"]).removeprefix("variant=") if run.kind == "list" else str(entry["label"])


def patched(spec: dict[str, Any], steps: list[list[Any]]) -> dict[str, Any]:
    """Returns a spec with the steps of a difference taken."""
    made = json.loads(json.dumps(spec))
    for (*way, last), *value in steps:
        holder = functools.reduce(lambda inner, key: inner[key], way, made)
        if value:
            holder[last] = value[0]
        else:
            del holder[last]
    return dict(made)
