"""What looks wrong with a network before it is trained.

A batch of noise is run through it, forward and backward, at its initial values. What is called wrong, and why there:

- The gradient of the first block's weights is more than `FAR` times that of the last block's, or less than 1 / `FAR` of
  it (Euclidean norms). Batch norm without shortcuts makes it explode (Yang et al. 2019,
  https://arxiv.org/abs/1902.08129): 3,000 in a plain network of 56 layers, where the residual one has 25.
- What the last block puts out varies more than `FAR` times as much as what the stem does, or less than 1 / `FAR` of it.
- The loss is more than `LARGE` times ln(classes), which equal chances for all classes give.
- No gradient reaches a parameter, even when all that starts at 0 has moved; or a norm takes a bias away.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from blocks.cost import Shape
from blocks.errors import InfeasibleSpec
from blocks.show.biases import biases_before_norms
from blocks.show.columns import aligned, filled
from blocks.spec import NetworkSpec

if TYPE_CHECKING:
    from blocks.show.batch import Reading

FAR = 1000
LARGE = 3
NAMED = 6
"""Of many places, so many are named."""


def check(spec: NetworkSpec, shape: Shape, batch_size: int) -> str:
    """Returns what one batch told, stage by stage, and what of it looks wrong.

    Raises:
        InfeasibleSpec: If there can be no such network at this input, it fails, or needs more memory than there is.
    """
    _demand_memory(spec, shape, batch_size)
    from blocks.network import BlockError
    from blocks.show.batch import read

    try:
        reading = read(spec, shape, batch_size)
    except BlockError as error:
        raise InfeasibleSpec(str(error)) from error
    lost = [*biases_before_norms(spec, shape), *reading.biases]
    wrong = [*_bias(lost), *findings(reading, spec.head.num_classes)]
    paragraphs = [
        f"One batch of {batch_size} images of noise with random labels, at the initial values of\nseed 0.",
        _by_stage(reading),
        "output std: of what the last block puts out. Gradients: the norm of that of the\n"
        "weights, in the first and in the last block.",
        *(filled(said) for said in [_loss(reading, spec.head.num_classes), *_waiting(reading)]),
        *(filled(f"Wrong: {said}") for said in wrong),
        *(filled(f"Warning: {said}") for said in spec.warnings),
    ]
    return "\n\n".join([*paragraphs, *([] if wrong or spec.warnings else ["Nothing looks wrong."])])


def findings(reading: Reading, classes: int) -> Iterator[str]:
    """Yields a sentence for each thing that looks wrong in a reading."""
    if not all(math.isfinite(number) for number in (reading.loss, *(pulse.std for pulse in reading.pulses))):
        bad = next((pulse.name for pulse in reading.pulses if not math.isfinite(pulse.std)), "the loss")
        yield f"{bad} is not finite, and so is nothing behind it."
        return
    if classes == 1:
        yield "a single class leaves nothing to tell apart: the loss is 0, and has no gradient."
        return
    stem, *blocks, _ = reading.pulses
    gradients = [pulse.gradient for pulse in blocks if pulse.gradient is not None]
    if gradients and not 1 / FAR <= (ratio := gradients[0] / gradients[-1]) <= FAR:
        verb = "explode" if ratio > 1 else "vanish"
        yield f"gradients {verb} towards the input: the first block's is {_figure(ratio)} times the last block's."
    growth = blocks[-1].std / stem.std if stem.std else math.inf
    if not 1 / FAR <= growth <= FAR:
        verb = "explodes" if growth > 1 else "vanishes"
        yield f"the signal {verb} towards the output: the last block's varies {_figure(growth)} times the stem's."
    if reading.loss > LARGE * math.log(classes):
        times = _figure(reading.loss / math.log(classes))
        yield f"the loss starts at {times} times ln(classes): the logits start too large."
    if reading.unreached:
        yield f"no gradient reaches {_some(reading.unreached)}."


def _bias(names: Sequence[str]) -> Iterator[str]:
    if names:
        verb, them = ("has a bias", "it") if len(names) == 1 else ("have biases", "them")
        yield f"{_some(names)} {verb}, and the norm behind {them} subtracts it again."


def _loss(reading: Reading, classes: int) -> str:
    even = f"ln({classes}) = {_figure(math.log(classes))}"
    return f"The loss is {_figure(reading.loss)}; equal chances for all classes give {even}."


def _waiting(reading: Reading) -> Iterator[str]:
    if reading.waiting:
        yield (
            f"{len(reading.waiting)} parameters get no gradient yet; they do once those that start at 0 have moved, or "
            f"from other initial values: {_some(reading.waiting)}."
        )


def _by_stage(reading: Reading) -> str:
    rows = [("", "output std", "first gradient", "last gradient")]
    for name, pulses in groupby(reading.pulses, key=lambda pulse: pulse.name.rpartition(".")[0] or pulse.name):
        first, *_, last = [*pulses] * 2
        rows.append((name, *map(_figure, (last.std, first.gradient, last.gradient))))
    return aligned(rows, left=1)


def _figure(number: float | None) -> str:
    """Writes a number to three digits, and large ones without a power of ten."""
    if number is None:
        return "-"
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e7 else f"{number:.3g}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _demand_memory(spec: NetworkSpec, shape: Shape, batch_size: int) -> None:
    """Refuses a step that this machine couldn't hold; torch would be killed for it."""
    needed = spec.training_memory(shape, batch_size, optimizer_states=0).total
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        gigabytes = f"{needed / 1e9:,.0f} GB, and this machine has {there / 1e9:,.0f}"
        raise InfeasibleSpec(f"a batch of {batch_size:,} such images needs {gigabytes}; --batch and --input take less")
