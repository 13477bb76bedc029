"""A trial's diagnosis: begun before the first step, and closed, as plain data, after the last."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from search.train.diagnosis.evidence import Evidence, entropy, gradient_ratio
from search.train.diagnosis.places import layers, original, stage_of
from search.train.diagnosis.probe import Probe
from search.train.diagnosis.rules import findings
from search.train.diagnosis.sampling import sampling
from search.train.diagnosis.watch import Seen, StepReading, Watch

if TYPE_CHECKING:
    from search.data.images import Splits
    from search.train.loop import Trial
    from search.train.outcome import Epoch

POINTS = 12
"""Points of a curve: steps between are averaged, so that a record of thousands of trials stays small."""
DIGITS = 4

Curves = dict[str, list[list[float | None]]]


def begin(trial: Trial, steps_per_epoch: int, micro_batch: int) -> Watch | None:
    """Returns what looks at a trial whose network and splits are there, or None if the recipe says ``off``.

    Args:
        micro_batch: How many images go through the network at a time: batch norm sees so many.
    """
    recipe = trial.recipe
    if recipe.diagnosis == "off":
        return None
    count = len(trial.validation.labels)
    when = sampling(recipe.diagnosis, recipe.epochs, steps_per_epoch, recipe.batch_size, count)
    return Watch(trial.network, trial.validation, when, min(micro_batch, recipe.batch_size))


def close(trial: Trial, watch: Watch, splits: Splits, epochs: Sequence[Epoch], diverged: bool) -> dict[str, Any]:
    """Returns what a watch saw, as JSON-able data.

    Returns:
        ``numbers``: one number a trial; ``findings``: kind, text and value of what matters; ``stages``; ``curves``: by
        name rows of an epoch, steps being fractions of one, and a number a stage, None where it has none.
    """
    watch.fetch()
    evidence = _evidence(trial, watch.seen, splits, epochs, diverged)
    return {
        "numbers": {name: _short(value) for name, value in _numbers(evidence).items()},
        "findings": [{**asdict(finding), "value": _short(finding.value)} for finding in findings(evidence)],
        "stages": list(evidence.stages),
        "curves": _curves(evidence, trial.step.steps_per_epoch),
    }


def _evidence(trial: Trial, seen: Seen, splits: Splits, epochs: Sequence[Epoch], diverged: bool) -> Evidence:
    network = original(trial.network)
    return Evidence(
        network=network.spec.plain(),
        layers=layers(network),
        seen=seen,
        batch_size=trial.recipe.batch_size,
        micro_batch=min(trial.step.micro_batch, trial.recipe.batch_size),
        learning_rate=max(trial.step.peak_rates),
        classes=splits.classes,
        training=splits.train,
        chance=entropy(np.bincount(splits.train.labels).tolist()),
        train_accuracy=epochs[-1].train_accuracy if epochs else None,
        val_accuracy=epochs[-1].val_accuracy if epochs else None,
        diverged=diverged,
    )


def _numbers(evidence: Evidence) -> dict[str, float | None]:
    probe, train, validation = evidence.last_probe, evidence.train_accuracy, evidence.val_accuracy
    return {
        "gradient_ratio": gradient_ratio(evidence),
        "dead_units": sum(probe.dead.values()) if probe is not None else None,
        "loss_spikes": len(evidence.spikes),
        "generalisation_gap": None if train is None or validation is None else train - validation,
    }


def _curves(evidence: Evidence, steps_per_epoch: int) -> Curves:
    curves: Curves = {"gradient_norm": [], "update_ratio": [], "weight_norm": []}
    for readings in _points(evidence.seen.steps):
        epoch = sum(reading.step for reading in readings) / len(readings) / steps_per_epoch
        gradient, size, update = (
            _by_stage(evidence, [getattr(reading, what) for reading in readings])
            for what in ("gradient", "size", "update")
        )
        ratio = {stage: update[stage] / size[stage] for stage in size if size[stage] > 0}
        for name, found in zip(curves, (gradient, ratio, size), strict=True):
            curves[name].append(_row(epoch, found, evidence.stages))
    for at, probe in sorted(evidence.seen.probes.items()):
        for name, seen in _looks(probe):
            if seen:
                curves.setdefault(name, []).append(_row(at, seen, evidence.stages))
    return curves


def _looks(probe: Probe) -> Iterator[tuple[str, Mapping[str, float]]]:
    yield "activation_mean", probe.mean
    yield "activation_deviation", probe.deviation
    yield "units", probe.units
    yield "dead_units", probe.dead
    yield "sparsity", probe.sparsity
    yield "batch_norm_noise", probe.noise
    yield "batch_norm_drift", probe.drift


def _points(readings: Sequence[StepReading]) -> list[Sequence[StepReading]]:
    """Returns the first reading, and the others in groups of neighbours."""
    rest = readings[1:]
    size = max(1, math.ceil(len(rest) / (POINTS - 1)))
    return [part for part in (readings[:1], *(rest[at : at + size] for at in range(0, len(rest), size))) if part]


def _by_stage(evidence: Evidence, rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Returns the norm of each stage, the root of its places' squares; the mean over readings."""
    found = dict.fromkeys(evidence.stages, 0.0)
    for row in rows:
        squares = dict.fromkeys(evidence.stages, 0.0)
        for place, norm in zip(evidence.seen.places, row, strict=True):
            squares[stage_of(place)] += norm**2
        for stage, square in squares.items():
            found[stage] += square**0.5 / len(rows)
    return found


def _row(epoch: float, found: Mapping[str, float], stages: Sequence[str]) -> list[float | None]:
    return [_short(epoch), *(_short(found[stage]) if stage in found else None for stage in stages)]


def _short(value: float | None) -> float | None:
    """Returns a number to a few digits, whole numbers whole; None for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
