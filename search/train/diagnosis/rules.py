"""What matters of what was seen, in sentences: each rule says one, or nothing.

A threshold stands beside its reason. What is measured and never matters is in ``diagnosis.csv`` all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from search.train.diagnosis.causes import stuck
from search.train.diagnosis.evidence import FAR, Evidence, far_apart, gradient_ratio, lacking
from search.train.diagnosis.finding import Finding, figure
from search.train.diagnosis.places import in_words, stage_of

SIGNAL = 1000
"""Between what the stem and what the last block put out: as in ``blocks.show --check``."""
DEAD = 0.1
"""The share of a stage's units that never fire. A network so much narrower would be another arm of most studies."""
SMALL_BATCH, NOISE = 16, 0.25
"""A batch's own means that stray from the running ones by a quarter of a deviation are noise that training sees and
validation does not: batches of 2 did so (0.27; fitted the training images worst), batches of 4 hardly (0.23), batches
of 32 not (0.09; 8x8 digits)."""
SAMPLING_ERRORS = 2
"""Means of n images differ from the true ones by 1 / sqrt(n) deviations where the positions of a map are all alike, and
by less elsewhere; beyond twice that, the running statistics are wrong."""
GAP = 0.1
"""Ten points: an error that more images or stronger regularisation could take away."""
LARGE_UPDATE = 1.0
"""A step that changes weights by more than they are leaves little of where they started. Usual are 0.001 to 0.05."""


def findings(evidence: Evidence) -> list[Finding]:
    """Returns what matters, worst first; a cause that a loss's own sentence has named is not said again."""
    found = [finding for rule in RULES for finding in rule(evidence)]
    named = found[0].kind if found and found[0].text.startswith("the loss") else ""
    return [finding for index, finding in enumerate(found) if index == 0 or finding.kind != named]


def far_gradients(evidence: Evidence) -> Iterator[Finding]:
    """Gradients that explode or vanish on their way through the blocks."""
    ratio = gradient_ratio(evidence)
    if ratio is None or 1 / FAR <= ratio <= FAR:
        return
    kind, more, less = far_apart(evidence, ratio)
    share = figure(max(ratio, 1 / ratio))
    verb = "explodes" if ratio > 1 else "vanishes"
    text = f"{less} receives 1/{share} of {more}’s gradient at the start, it {verb} towards the input"
    yield Finding(kind, f"{text}: {lacking(evidence)}", ratio)


def large_updates(evidence: Evidence) -> Iterator[Finding]:
    """Steps that change weights by more than they are."""
    worst: dict[str, tuple[float, int]] = {}
    for reading in evidence.seen.steps:
        for place, update, size in zip(evidence.seen.places, reading.update, reading.size, strict=True):
            if size > 0 and update / size > LARGE_UPDATE:
                worst[place] = max(worst.get(place, (0.0, 0)), (update / size, reading.step))
    if worst:
        place = max(worst, key=lambda place: worst[place])
        times, step = worst[place]
        text = f"step {step:,} changes the weights of {in_words(place)} by {figure(times)} times their size"
        yield Finding("large_update", text, times)


def signal(evidence: Evidence) -> Iterator[Finding]:
    """A signal that grows or fades from block to block."""
    probe = evidence.last_probe
    if probe is None or "stem" not in probe.deviation or not evidence.blocks:
        return
    last = stage_of(evidence.seen.places[evidence.blocks[-1]])
    stem, end = probe.deviation["stem"], probe.deviation.get(last, 0.0)
    if stem > 0 and math.isfinite(end) and not 1 / SIGNAL <= (growth := end / stem) <= SIGNAL:
        verb = "explodes" if growth > 1 else "vanishes"
        text = f"the signal {verb}: {in_words(last)} varies {figure(growth)} times as much as the stem"
        yield Finding("signal", text, growth)


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """Units that no validation image makes fire."""
    probe = evidence.last_probe
    for stage, units in probe.units.items() if probe is not None else ():
        dead = probe.dead[stage] if probe is not None else 0
        if dead >= DEAD * units:
            yield Finding("dead_units", f"{dead} of {units} units of {in_words(stage)} never fire", dead / units)


def batch_norm_noise(evidence: Evidence) -> Iterator[Finding]:
    """Batches so small that their own statistics are noise."""
    probe = evidence.last_probe
    if probe is None or not probe.noise or evidence.micro_batch > SMALL_BATCH:
        return
    stage = max(probe.noise, key=lambda stage: probe.noise[stage])
    if (noise := probe.noise[stage]) > NOISE:
        text = (
            f"batches of {evidence.micro_batch} move batch norm’s means in {in_words(stage)} by {figure(noise)} "
            "deviations from the running ones: noise that training sees and validation does not"
        )
        yield Finding("batch_norm_noise", text, noise)


def batch_norm_drift(evidence: Evidence) -> Iterator[Finding]:
    """Running statistics that are not those of what passes."""
    probe = evidence.last_probe
    if probe is None or not probe.drift:
        return
    stage = max(probe.drift, key=lambda stage: probe.drift[stage])
    if (drift := probe.drift[stage]) > SAMPLING_ERRORS / math.sqrt(probe.images):
        text = f"batch norm’s running means in {in_words(stage)} are {figure(drift)} deviations off those of validation"
        yield Finding("batch_norm_drift", text, drift)


def spiked(evidence: Evidence) -> Iterator[Finding]:
    """Losses that rose suddenly."""
    found = evidence.spikes
    if found:
        times = "once" if len(found) == 1 else f"{len(found)} times, last"
        yield Finding("loss_spikes", f"the loss rose suddenly {times} at step {found[-1]:,}", float(len(found)))


def gap(evidence: Evidence) -> Iterator[Finding]:
    """A network that knows its training images better than others."""
    train, validation = evidence.train_accuracy, evidence.val_accuracy
    if train is not None and validation is not None and train - validation > GAP:
        text = f"it gets {train:.1%} of the training images right, and {validation:.1%} of the validation images"
        yield Finding("generalisation_gap", text, train - validation)


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    stuck,
    far_gradients,
    large_updates,
    signal,
    dead_units,
    batch_norm_drift,
    batch_norm_noise,
    spiked,
    gap,
)
