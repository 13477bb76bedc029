"""What is never built, and refusing it by arithmetic, before anything is allocated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.arithmetic import show_large
from blocks.cost import Shape
from blocks.errors import InfeasibleSpec
from blocks.totals import training_memory
from blocks.walk import fitting_input, image_shape, trace

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec


class Limits(NamedTuple):
    """What is never built: by default over 2 thousand million parameters (8 GB), 10 thousand blocks, or 200 thousand
    layers.

    MACs, activations (of one image) and memory (bytes of a training step) have no limit unless it is given, and can be
    judged only where the images' shape is known.
    """

    params: int = 2_000_000_000
    blocks: int = 10_000
    layers: int = 200_000
    macs: int | None = None
    activations: int | None = None
    memory: int | None = None


LIMITS = Limits()


def demand(network: NetworkSpec, limits: Limits) -> None:
    """Refuses a network that can't be at any input size, or is over the limits on what is built.

    Raises:
        InfeasibleSpec: With the stage and block at which a limit is passed.
    """
    _demand(network, image_shape(network, fitting_input(network)), limits._replace(macs=None, activations=None))


def demand_at(
    network: NetworkSpec, shape: Shape, limits: Limits, batch_size: int = 1, optimizer_states: int = 1
) -> None:
    """Refuses a network that is over any limit for images of C H W, in such batches. Raises ``InfeasibleSpec``."""
    _demand(network, shape, limits)
    if limits.memory is not None:
        memory = training_memory(network, shape, batch_size, optimizer_states).total
        if memory > limits.memory:
            raise InfeasibleSpec(
                f"a training step on {batch_size:,} images needs {show_large(memory)} bytes, more than the limit of "
                f"{limits.memory:,}"
            )


def _demand(network: NetworkSpec, shape: Shape, limits: Limits) -> None:
    params = blocks = layers = macs = activations = 0
    for part in trace(network, shape):
        each, repeats = part.each, part.repeats
        blocks += 0 if part.first is None else repeats
        layers += repeats * each.layers
        macs += repeats * each.macs
        params += repeats * each.params
        activations += repeats * each.activations
        for number, limit, noun in (
            (params, limits.params, "parameters"),
            (blocks, limits.blocks, "blocks"),
            (layers, limits.layers, "layers"),
            (macs, limits.macs, "MACs"),
            (activations, limits.activations, "activations"),
        ):
            if limit is not None and number > limit:
                reason = f"{show_large(number)} {noun} up to here are more than the limit of {limit:,}"
                raise InfeasibleSpec(reason, part.stage, part.first)
