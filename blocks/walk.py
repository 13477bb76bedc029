"""Walking through a network's description, part by part, without building it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from blocks.arithmetic import show_large
from blocks.block import BlockSpec, Site
from blocks.cost import Images, Row, Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall
from blocks.layers import Layer, show_shape
from blocks.layers.base import FLOAT

if TYPE_CHECKING:
    from blocks.parts.head import HeadSpec
    from blocks.parts.stem import StemSpec
    from blocks.spec import NetworkSpec
    from blocks.stage import StageSpec

    Described = BlockSpec | StemSpec | HeadSpec

MAX_UNLIKE_BLOCKS = 10_000
MAX_INPUT_BITS = 4_000


class Traced(NamedTuple):
    """What one stem, block or head costs. A few numbers only, so that remembering many costs next to nothing.

    Attributes:
        output: C H W that it puts out.
        layers: How many layers it has.
        macs, params, activations, saved, saved_once: The sums over them; see `blocks.cost.Row`.
        sums: How many residual sums it has.
        kept: Whether the backward pass keeps what it puts out; None if that is the images themselves.
    """

    output: Shape
    layers: int
    macs: int
    params: int
    activations: int
    saved: int
    saved_once: int
    sums: int
    kept: bool | None


class Part(NamedTuple):
    """The stem, the head, or blocks of one stage that follow one another and are alike in everything.

    Attributes:
        stage: The index of the stage, ``"stem"`` or ``"head"``.
        first: The index in the stage of the first of these blocks; None for stem and head.
        repeats: How many there are.
        kind: Of the stem, block or head.
        each: What one of them costs.
        spec, site: What describes one of them, and where it stands.
        given: C H W that the first of them is given.
        kept: Whether the backward pass keeps that; None if it is the images.
    """

    stage: int | str
    first: int | None
    repeats: int
    kind: str
    each: Traced
    spec: Described
    site: Site | int
    given: Shape
    kept: bool | None

    def rows(self) -> list[Row]:
        """Returns what each layer of one of them costs."""
        tally = Tally(self.kept)
        self.layer.trace(self.given, tally)
        return tally.rows

    @property
    def layer(self) -> Layer:
        """One of them, described."""
        return _layers(self.spec, self.site)

    @property
    def text(self) -> str:
        """What one of them is, as a text that others share exactly when they are built alike."""
        return _text(self.spec, self.site)

    def saved(self, batch_size: int, *, dropped: bool) -> int:
        """Returns the bytes that the backward pass keeps of *one* of them; with ``dropped``, the masks of drop path."""
        masks = FLOAT * self.each.sums if dropped else 0
        return batch_size * (self.each.saved + masks) + self.each.saved_once

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
        reason = f"{error.reason}; an image's side needs {show_large(smallest_input(network))} pixels"
        raise InputTooSmall(reason, error.stage, error.block) from None


def smallest_input(network: NetworkSpec) -> int:
    """Returns the side, in pixels, of the smallest square image that leaves something to each strided layer.

    Raises:
        InfeasibleSpec: If the network is possible at no size.
    """
    low, high = 0, fitting_input(network)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(network, middle) else (middle, high)
    return high


def _trace(network: NetworkSpec, shape: Shape) -> Iterator[Part]:
    stem, head = network.stem, network.head
    if shape[0] != network.in_channels:
        raise InfeasibleSpec(f"takes {network.in_channels} channels, not an image of {show_shape(shape)}", "stem")
    each = _describe("stem", None, stem, shape[0], shape, None)
    yield Part("stem", None, 1, stem.kind, each, stem, shape[0], shape, None)
    sums = 0
    for index, stage in enumerate(network.stages):
        for part in _trace_stage(index, stage, each.output, each.kept):
            each = part.each
            sums += each.sums
            yield part
    if network.drop_path and not sums:
        raise InfeasibleSpec("drop_path drops branches of residual sums, and this network has none")
    given, kept = each.output, each.kept
    each = _describe("head", None, head, given[0], given, kept)
    yield Part("head", None, 1, head.kind, each, head, given[0], given, kept)


def _trace_stage(index: int, stage: StageSpec, shape: Shape, kept: bool | None) -> Iterator[Part]:
    stride, first, parts = stage.stride, 0, 0
    for block, end in stage.runs(index):
        while first < end:
            if parts == MAX_UNLIKE_BLOCKS:
                reason = f"more than {MAX_UNLIKE_BLOCKS:,} blocks, each unlike the one before it"
                raise InfeasibleSpec(reason, index, first)
            site = Site(shape[0], stage.width, stride)
            each = _describe(index, first, block, site, shape, kept)
            alike = each.output == shape and stride == 1 and each.kept == kept  # given the same, the next are the same
            repeats = end - first if alike else 1
            yield Part(index, first, repeats, block.kind, each, block, site, shape, kept)
            shape, kept, stride, first, parts = each.output, each.kept, 1, first + repeats, parts + 1


def _describe(
    stage: int | str, block: int | None, spec: Described, site: Site | int, shape: Shape, kept: bool | None
) -> Traced:
    """Describes and traces one block; says where, if it can't be."""
    try:
        return _traced(spec, site, shape, kept)
    except InfeasibleSpec as error:
        raise error.at(stage, block) from None


@lru_cache(maxsize=8192)  # the networks of a search are made of the same blocks
def _traced(spec: Described, site: Site | int, shape: Shape, kept: bool | None) -> Traced:
    tally = Tally(kept)
    output = _layers(spec, site).trace(shape, tally)
    macs = params = activations = saved = saved_once = 0
    for _, more_macs, more_params, more_activations, more_saved, more_once in tally.rows:
        macs += more_macs
        params += more_params
        activations += more_activations
        saved += more_saved
        saved_once += more_once
    sums = macs, params, activations, saved, saved_once
    kept = None if isinstance(tally.kept, Images) else tally.kept[0]
    return Traced(output, len(tally.rows), *sums, tally.sums, kept)


@lru_cache(maxsize=8192)
def _text(spec: Described, site: Site | int) -> str:
    return repr(_layers(spec, site))


def _layers(spec: Described, site: Site | int) -> Layer:
    layer: Layer = spec.layers(site)  # type: ignore[arg-type]  # a block is given a site, stem and head channels
    return layer


def fitting_input(network: NetworkSpec) -> int:
    """Returns the side of an image that is large enough, if not the smallest. Raises ``InfeasibleSpec``."""
    size, last = 64, ""
    while (refused := _refusal(network, size)) is not None:
        if str(refused) == last:  # twice the size changed nothing: it is not the strides
            raise InfeasibleSpec(f"{refused.reason}, whatever the image's size", refused.stage, refused.block)
        size, last = 2 * size, str(refused)
        if size.bit_length() > MAX_INPUT_BITS:
            raise InfeasibleSpec("no input is large enough for this network's strides", refused.stage, refused.block)
    return size


def _fits(network: NetworkSpec, size: int) -> bool:
    return _refusal(network, size) is None


def _refusal(network: NetworkSpec, size: int) -> InputTooSmall | None:
    try:
        for _ in _trace(network, image_shape(network, size)):
            pass
    except InputTooSmall as error:
        return error
    return None


def image_shape(network: NetworkSpec, size: int) -> Shape:
    """Returns C H W of square images of this side that a network takes."""
    return network.in_channels, size, size
