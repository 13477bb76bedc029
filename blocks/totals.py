"""What a whole network comes to: its costs, its training memory, and what it is, as one text."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from blocks.cost import Cost, Memory, Shape
from blocks.layers.base import FLOAT
from blocks.segments import segment_length
from blocks.walk import Part, fitting_input, image_shape, trace

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec


def total_cost(network: NetworkSpec, shape: Shape) -> Cost:
    """Returns what a whole network costs for an image of C H W. Raises ``InfeasibleSpec``."""
    macs = params = activations = 0
    for part in trace(network, shape):
        repeats, each = part.repeats, part.each
        macs += repeats * each.macs
        params += repeats * each.params
        activations += repeats * each.activations
    return Cost(macs, params, activations)


def training_memory(
    network: NetworkSpec, shape: Shape, batch_size: int, optimizer_states: int, checkpointing: bool = False
) -> Memory:
    """Returns what a training step on so many images of C H W needs. Raises ``InfeasibleSpec``.

    With checkpointing it is an upper bound: a tensor that two runs of blocks share is counted in both.
    """
    params = saved = 0
    parts = list(trace(network, shape))
    for part in parts:
        params += part.repeats * part.each.params
        saved += part.repeats * part.saved(batch_size, dropped=network.drop_path > 0)
    if checkpointing:
        saved = min(saved, _checkpointed(network, parts, batch_size))
    bytes_ = FLOAT * params
    return Memory(bytes_, bytes_, optimizer_states * bytes_, saved)


def _checkpointed(network: NetworkSpec, parts: list[Part], batch_size: int) -> int:
    """Returns the bytes of stem and head, of the input of every run of blocks, and of what the largest run keeps."""
    kept, blocks = 0, list[tuple[int, int]]()
    for part in parts:
        within = part.saved(batch_size, dropped=network.drop_path > 0)
        if part.first is None:
            kept += within
            continue
        given, following = (FLOAT * batch_size * math.prod(shape) for shape in (part.given, part.each.output))
        blocks += [(given, within), *[(following, within)] * (part.repeats - 1)]
    step = segment_length(len(blocks))
    runs = [blocks[first : first + step] for first in range(0, len(blocks), step)]
    return kept + sum(run[0][0] for run in runs) + max(sum(within for _, within in run) for run in runs)


def structure(network: NetworkSpec) -> str:
    """Returns a text that two specs share exactly when they build the same network. Raises ``InfeasibleSpec``."""
    parts = trace(network, image_shape(network, fitting_input(network)))
    runs = groupby(parts, key=lambda part: f"{part.stage} {part.text}")
    lines = [f"{text} x{sum(part.repeats for part in run)}" for text, run in runs]
    return "\n".join([f"{network.in_channels} {network.drop_path:g}", *lines])


def out_channels(network: NetworkSpec) -> int:
    """Returns the channels that the last stage puts out. Raises ``InfeasibleSpec``."""
    *_, last, _ = trace(network, image_shape(network, fitting_input(network)))
    return last.each.output[0]


def ends_normed(network: NetworkSpec) -> bool:
    """Whether a sum of un-normed branches, or a network that has norms elsewhere, is normed before its last layer.

    Blocks with pre-activation leave that to the head; a network without any norm has none to miss.
    """
    *_, last, head = trace(network, image_shape(network, fitting_input(network)))
    if network.stages[-1].block_at(-1).ends_normed:
        return True
    return any(row[0] == "norm" for row in head.rows()) or not any(row[0] == "norm" for row in last.rows())
