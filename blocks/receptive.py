"""Receptive fields, by arithmetic: how much of an image one position of a map can depend on.

A map's position i reads the image's pixels from ``i * jump - before`` to ``i * jump + after``, its border left aside: a
layer with a window of k pixels and stride s adds (k - 1) * jump pixels and makes the jump s times as large (Araujo et
al. 2019, https://distill.pub/2019/computing-receptive-fields). Of paths that meet, the widest counts. What is averaged
over the whole map (the statistics of norms, the gates of squeeze-and-excitation) is left aside, as is usual;
attention among all positions and global pooling reach everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from blocks import layers as records
from blocks.cost import Shape
from blocks.layers.position import SinePosition
from blocks.layers.statistics import AttentionPool, GlobalMaxPool, MeanAndMax, PositionSum
from blocks.walk import Part, trace

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec


class Field(NamedTuple):
    """What a position of a map reads, along one axis: pixels before and after its own, and the jump to the next."""

    before: int
    after: int
    jump: int

    def __str__(self) -> str:
        return str(self.before + self.after + 1)


EACH_POSITION_ALONE = (
    records.Identity,
    records.Elementwise,
    records.Dropout,
    records.LayerScale,
    records.BatchNorm,
    records.GroupNorm,
    records.ChannelNorm,
    records.ChannelConv,
    records.Linear,
    SinePosition,
)
EVERY_POSITION = (
    records.GlobalPool,
    records.AdaptivePool,
    records.Flatten,
    records.AttentionProduct,
    GlobalMaxPool,
    PositionSum,
    AttentionPool,
    MeanAndMax,
)

ALL = "all"  # however large the image
UNKNOWN = "?"  # what a module of a user's own reads: only running it would tell

Reach = Field | str

IMAGE = Field(0, 0, 1)


def receptive_fields(network: NetworkSpec, shape: Shape) -> Iterator[tuple[Part, Reach]]:
    """Yields the parts of a network for images of C H W, each with what its *input* reads.

    `through` says what comes out of it, block by block.

    Raises:
        InfeasibleSpec: If there can be no such network at this input.
    """
    reach: Reach = IMAGE
    for part in trace(network, shape):
        yield part, reach
        reach = through(part.layer, reach, part.repeats)


def through(layer: records.Layer, given: Reach, repeats: int) -> Reach:
    """Returns what is read through alike layers in a row; as the map keeps its size, each adds as much as the first."""
    once = extend(layer, given)
    if not (isinstance(given, Field) and isinstance(once, Field)):
        return once
    before, after = once.before - given.before, once.after - given.after
    return Field(given.before + repeats * before, given.after + repeats * after, once.jump)


def extend(layer: records.Layer, given: Reach) -> Reach:
    """Returns what is read through a layer whose own input reads ``given``.

    A record of your own may say it in a method ``receptive_field(given)``; otherwise it is unknown.
    """
    match layer:
        case records.Conv(kernel=kernel, stride=stride) | records.MaxPool(kernel=kernel, stride=stride):
            return _slid(given, kernel, stride, padded=kernel % 2 == 1)
        case records.Blur(stride=stride):
            return _slid(given, 3, stride, padded=True)
        case records.AveragePool(stride=stride):
            return _slid(given, stride, stride, padded=False)
        case records.ZeroPad(stride=stride):
            return _slid(given, 1, stride, padded=False)
        case MeanAndMax(over="channels"):
            return given
        case records.Chain(layers=chain):
            return reduce(lambda reach, one: extend(one, reach), chain.values(), given)
        case records.Sum(layers=branches):
            return reduce(_widest, (extend(one, given) for one in branches.values()))
        case records.Concat(branch=branch):
            return _widest(given, extend(branch, given))
        case records.Residual():
            return _residual(layer, given)
        case records.Scale(gate=gate):  # one that reads everything is one number a channel, the same everywhere
            weight = extend(gate, given)
            return given if weight == ALL else _widest(given, weight)
    if isinstance(layer, EACH_POSITION_ALONE):
        return given
    if isinstance(layer, EVERY_POSITION) or given == ALL:
        return ALL
    own = getattr(layer, "receptive_field", None)
    return own(given) if own is not None else UNKNOWN


def _slid(given: Reach, kernel: int, stride: int, *, padded: bool) -> Reach:
    """Returns what a window reads: one that is padded by half begins before its position, any other at it."""
    if not isinstance(given, Field):
        return given
    before = kernel // 2 if padded else 0
    after = kernel - 1 - before
    return Field(given.before + before * given.jump, given.after + after * given.jump, given.jump * stride)


def _widest(one: Reach, other: Reach) -> Reach:
    if isinstance(one, Field) and isinstance(other, Field):
        return Field(max(one.before, other.before), max(one.after, other.after), max(one.jump, other.jump))
    return ALL if ALL in (one, other) else UNKNOWN


def _residual(layer: records.Residual, given: Reach) -> Reach:
    ready = extend(layer.before, given)
    out = extend(layer.branch, ready)
    if layer.shortcut is not None:
        out = _widest(out, extend(layer.shortcut, ready if layer.shared else given))
    return extend(layer.activation, out)
