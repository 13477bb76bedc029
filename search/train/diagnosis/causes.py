"""Why a loss stays where guessing stands: the causes, in the order in which they are looked for.

A cause that explains those behind it comes first: where all weights are zero no gradient moves either, and a learning
rate too high for unnormalised images may be right for normalised ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import fmean, median

from search.data.sanity import neighbours
from search.train.diagnosis.evidence import FAR, Evidence, far_apart, gradient_ratio, lacking
from search.train.diagnosis.finding import Finding, figure
from search.train.diagnosis.losses import jump, left_for_good
from search.train.diagnosis.places import in_words
from search.train.diagnosis.watch import StepReading

NEAR, FAR_ABOVE = 0.95, 1.5
"""Of the loss of guessing. Losses are noisy; one that has learned something real is soon below."""
FEWEST_STEPS = 20
"""Before that nothing is said: in a handful of steps hardly anything is learned."""
ENDING = 0.1
"""The last tenth of the steps is where the loss ended."""
VANISHED = 1e-4
"""Of the weights' own size. Where training goes well the gradient is a hundredth to a tenth of it."""
OFF_CENTRE, NARROW, WIDE = 3.0, 0.1, 10.0
"""Normalised images have mean 0 and deviation 1, as initialisation assumes. Pixels from 0 to 255 have about 120 and
60; those from 0 to 1, which train well enough, 0.5 and 0.25."""
HIGH_UPDATE, LEAP = 0.3, 2.0
"""A step changes weights by 0.001 to 0.05 of their size where training goes well; and a loss that doubles has left the
region in which its gradient means anything."""
SHORT_WAY = 0.02
"""How far the weights can have come, in their own size, if no step turned back: a network whose weights move by less
than a fiftieth is the one that was drawn."""


def stuck(evidence: Evidence) -> Iterator[Finding]:
    """A loss that stays near that of guessing, or leaves its start for good; with its cause."""
    losses, chance = evidence.seen.losses, evidence.chance
    if chance == 0:
        label = evidence.classes[int(evidence.training.labels[0])]
        said = f"every training image is of class “{label}”: nothing is to be told apart"
        yield Finding("constant_labels", said, 0.0)
        return
    if evidence.diverged:
        yield from _diverged(evidence)
        return
    if len(losses) < FEWEST_STEPS:
        return
    ending = fmean(losses[-max(1, int(ENDING * len(losses))) :])
    left = left_for_good(losses, evidence.batch_size)
    if ending < NEAR * chance and left is None:
        return
    stays = ending < FAR_ABOVE * chance
    where = f"the loss {'stays near' if stays else f'ends at {figure(ending)}, above'} {_guessing(evidence)}"
    for cause in CAUSES:
        for kind, said in cause(evidence):
            yield Finding(kind, f"{where}: {said}", ending)
            return
    looked = "gradients, updates, inputs and labels look right; it may take longer"
    yield Finding("stuck", f"{where}, for no cause that is looked for: {looked}", ending)


Cause = Iterator[tuple[str, str]]


def zero_weights(evidence: Evidence) -> Cause:
    """All weights of a place are 0, and stay so: its units are all alike, and nothing tells them apart."""
    for index, place in enumerate(evidence.seen.places):
        sizes = [reading.size[index] for reading in evidence.seen.steps]
        if sizes and max(sizes) == 0:
            yield "zero_weights", f"all weights of {in_words(place)} are zero, and no step changes them"


def no_path(evidence: Evidence) -> Cause:
    """No gradient reaches a place, at any step."""
    steps = evidence.seen.steps
    for index, place in enumerate(evidence.seen.places if steps else ()):
        where = in_words(place)
        if all(reading.gradient[index] == 0 for reading in steps):
            yield "no_path", f"no gradient reaches {where}{_silenced(evidence)}"
            continue
        # step by step: weights that a high learning rate has blown up say nothing of a gradient from before
        shares = (reading.gradient[index] / reading.size[index] for reading in steps if reading.size[index] > 0)
        most = max(shares, default=math.inf)
        if most < VANISHED:
            share = f"1/{figure(1 / most)} of its weights"
            yield "no_path", f"the gradient of {where} is {share} at most, it vanishes on its way: {lacking(evidence)}"


def unnormalised(evidence: Evidence) -> Cause:
    """Images that are not what initialisation assumes."""
    probe = evidence.last_probe
    if probe is None:
        return
    mean, deviation = probe.mean["input"], probe.deviation["input"]
    if abs(mean) > OFF_CENTRE or not NARROW <= deviation <= WIDE:
        found = f"mean {figure(mean)} and deviation {figure(deviation)}"
        yield "unnormalised_input", f"the images are not normalised, they have {found}"


def exploding(evidence: Evidence) -> Cause:
    """Gradients of such different size that no learning rate suits all stages."""
    ratio = gradient_ratio(evidence)
    if ratio is not None and not 1 / FAR <= ratio <= FAR:
        kind, more, less = far_apart(evidence, ratio)
        share = figure(max(ratio, 1 / ratio))
        said = f"no learning rate suits {more}, whose gradient starts at {share} times that of {less}, and {less} too"
        yield kind, f"{said}: {lacking(evidence)}"


def too_high(evidence: Evidence) -> Cause:
    """A learning rate whose steps overshoot."""
    rate = f"the learning rate, {figure(evidence.learning_rate)}, is too high"
    step, times = jump(evidence.seen.losses, evidence.batch_size)
    left = left_for_good(evidence.seen.losses, evidence.batch_size)
    updates = [max(_updates(reading)) for reading in evidence.seen.steps]
    if left is not None and times > 1.05:
        yield "learning_rate_high", f"{rate}: the loss left its start at step {left:,} and never came back"
    elif times > LEAP:
        yield "learning_rate_high", f"{rate}: by step {step:,} the loss was {figure(times)} times what it started at"
    elif updates and (typical := median(updates)) > HIGH_UPDATE:
        yield "learning_rate_high", f"{rate}: a step changes weights by {figure(typical)} times their size"


def too_low(evidence: Evidence) -> Cause:
    """A learning rate whose steps lead nowhere."""
    updates = [max(_updates(reading)) for reading in evidence.seen.steps]
    if updates and (way := fmean(updates) * len(evidence.seen.losses)) < SHORT_WAY:
        rate = f"the learning rate, {figure(evidence.learning_rate)}, is too low"
        yield "learning_rate_low", f"{rate}: all steps together move weights by at most {figure(way)} of their size"


def shuffled(evidence: Evidence) -> Cause:
    """Labels that have nothing to do with the images."""
    found = neighbours(evidence.training)
    if found is not None and not found.agree:
        shares = (
            f"{found.share:.1%} of images are of the class of the image most like them, {found.chance:.1%} by chance"
        )
        yield "shuffled_labels", f"the labels look shuffled: {shares}"


CAUSES: tuple[Callable[[Evidence], Cause], ...] = (
    zero_weights,
    no_path,
    unnormalised,
    exploding,
    too_high,
    too_low,
    shuffled,
)


def _diverged(evidence: Evidence) -> Iterator[Finding]:
    steps = len(evidence.seen.losses) + 1  # the last is not among them
    for cause in (zero_weights, unnormalised):
        for kind, other in cause(evidence):
            yield Finding(kind, f"the loss was not finite at step {steps:,}: {other}", float(steps))
            return
    rate = f"the learning rate, {figure(evidence.learning_rate)}, is too high"
    yield Finding("learning_rate_high", f"{rate}: the loss was not finite at step {steps:,}", float(steps))


def _guessing(evidence: Evidence) -> str:
    classes = len(evidence.classes)
    even = f"ln({classes}) = {evidence.chance:.2f}"
    return even if abs(math.log(classes) - evidence.chance) < 0.005 else f"{evidence.chance:.2f}, that of guessing"


def _silenced(evidence: Evidence) -> str:
    """Says which stage lets nothing through, where one does."""
    probe = evidence.seen.probes.get(0) or evidence.last_probe
    for stage, units in probe.units.items() if probe is not None else ():
        if probe is not None and units and probe.dead[stage] == units:
            return f": no unit of {in_words(stage)} fires"
    return ""


def _updates(reading: StepReading) -> list[float]:
    """Returns how much a step changed each place's weights, over their size."""
    return [update / size for update, size in zip(reading.update, reading.size, strict=True) if size > 0] or [0.0]
