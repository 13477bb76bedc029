"""Walking through a network's description, part by part, without building it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from blocks.block import Site
from blocks.cost import Cost, Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall
from blocks.layers import Layer, show_shape

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec, StageSpec

MAX_UNLIKE_BLOCKS = 10_000
MAX_INPUT_BITS = 4_000


class Limits(NamedTuple):
    """What is never built: more than 2 thousand million parameters (8 GB), or more than 10 thousand blocks."""

    params: int = 2_000_000_000
    blocks: int = 10_000


LIMITS = Limits()


class Part(NamedTuple):
    """The stem, the head, or blocks of one stage that follow one another and are alike in everything.

    Attributes:
        stage: The index of the stage, ``"stem"`` or ``"head"``.
        first: The index in the stage of the first of these blocks; None for stem and head.
        repeats: How many there are.
        kind: Of the stem, block or head.
        layer: One of them.
        output: C H W that it puts out.
        tally: What *one* of them costs.
    """

    stage: int | str
    first: int | None
    repeats: int
    kind: str
    layer: Layer
    output: Shape
    tally: Tally

    def names(self) -> list[str]:
        """Returns the names of the modules that this part becomes."""
        if self.first is None:
            return [str(self.stage)]
        return [f"stages.{self.stage}.{index}" for index in range(self.first, self.first + self.repeats)]


def trace(network: NetworkSpec, shape: Shape) -> Iterator[Part]:
    """Yields the parts of a network from stem to head, for images of C H W; a million alike blocks are one part.

    Raises:
        InfeasibleSpec: With the place and reason, at the first part that can't be; `InputTooSmall` only if there are
            inputs that would do.
    """
    try:
        yield from _trace(network, shape)
    except InputTooSmall as error:
        reason = f"{error.reason}; an image's side needs {_large(smallest_input(network))} pixels"
        raise InputTooSmall(reason, error.stage, error.block) from None


def total_cost(network: NetworkSpec, shape: Shape) -> Cost:
    """Returns what a whole network costs for an image of C H W. Raises ``InfeasibleSpec``."""
    macs = params = activations = 0
    for part in trace(network, shape):
        repeats, tally = part.repeats, part.tally
        macs += repeats * tally.macs
        params += repeats * tally.params
        activations += repeats * tally.activations
    return Cost(macs, params, activations)


def out_channels(network: NetworkSpec) -> int:
    """Returns the channels that the last stage puts out. Raises ``InfeasibleSpec``."""
    *_, last, _ = trace(network, _image(network, _fitting_input(network)))
    return last.output[0]


def smallest_input(network: NetworkSpec) -> int:
    """Returns the side, in pixels, of the smallest square image that leaves something to each strided layer.

    Raises:
        InfeasibleSpec: If the network is possible at no size.
    """
    low, high = 0, _fitting_input(network)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(network, middle) else (middle, high)
    return high


def demand(network: NetworkSpec, limits: Limits) -> None:
    """Refuses a network that can't be at any input size, or is over the limits. Raises ``InfeasibleSpec``."""
    params = blocks = 0
    for part in trace(network, _image(network, _fitting_input(network))):
        params += part.repeats * part.tally.params
        blocks += 0 if part.first is None else part.repeats
        for number, limit, noun in ((params, limits.params, "parameters"), (blocks, limits.blocks, "blocks")):
            if number > limit:
                reason = f"{_large(number)} {noun} up to here are more than the limit of {limit:,}"
                raise InfeasibleSpec(reason, part.stage, part.first)


def _trace(network: NetworkSpec, shape: Shape) -> Iterator[Part]:
    stem, head = network.stem, network.head
    if shape[0] != network.in_channels:
        raise InfeasibleSpec(f"takes {network.in_channels} channels, not an image of {show_shape(shape)}", "stem")
    layer, shape, tally = _describe("stem", None, stem.layers, shape[0], shape)
    yield Part("stem", None, 1, stem.kind, layer, shape, tally)
    for index, stage in enumerate(network.stages):
        for part in _trace_stage(index, stage, shape):
            shape = part.output
            yield part
    layer, shape, tally = _describe("head", None, head.layers, shape[0], shape)
    yield Part("head", None, 1, head.kind, layer, shape, tally)


def _trace_stage(index: int, stage: StageSpec, shape: Shape) -> Iterator[Part]:
    block, depth, stride = stage.block, stage.depth, stage.stride
    first = parts = 0
    while first < depth:
        if parts == MAX_UNLIKE_BLOCKS:
            reason = f"more than {MAX_UNLIKE_BLOCKS:,} blocks, each unlike the one before it"
            raise InfeasibleSpec(reason, index, first)
        layer, output, tally = _describe(index, first, block.layers, Site(shape[0], stage.width, stride), shape)
        repeats = depth - first if output == shape and stride == 1 else 1  # given the same, the next ones are the same
        yield Part(index, first, repeats, block.kind, layer, output, tally)
        shape, stride, first, parts = output, 1, first + repeats, parts + 1


def _describe(
    stage: int | str, block: int | None, layers: Callable[[Any], Layer], site: Site | int, shape: Shape
) -> tuple[Layer, Shape, Tally]:
    """Describes and traces one block; says where, if it can't be."""
    tally = Tally()
    try:
        layer = layers(site)
        return layer, layer.trace(shape, tally), tally
    except InfeasibleSpec as error:
        raise error.at(stage, block) from None


def _fitting_input(network: NetworkSpec) -> int:
    """Returns the side of an image that is large enough, if not the smallest. Raises ``InfeasibleSpec``."""
    size = 64
    while not _fits(network, size):
        size *= 2
        if size.bit_length() > MAX_INPUT_BITS:
            raise InfeasibleSpec("no input is large enough for this network's strides", 0)
    return size


def _fits(network: NetworkSpec, size: int) -> bool:
    try:
        for _ in _trace(network, _image(network, size)):
            pass
    except InputTooSmall:
        return False
    return True


def _image(network: NetworkSpec, size: int) -> Shape:
    return network.in_channels, size, size


def _large(number: int) -> str:
    """Writes a whole number of any size; Python itself refuses to write those of more than 4,300 digits."""
    return f"{number:,}" if number < 10**18 else f"about 10^{int(number.bit_length() * 0.30103)}"
