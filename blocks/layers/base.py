"""What every layer record can do, and what several of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall

if TYPE_CHECKING:
    from torch import nn

ZERO_INIT = "zero_init"
"""The attribute of a norm or a convolution that tells `blocks.initialisation` to start its weight at 0."""

FLOAT = 4
"""Bytes of a float32 number; what a tally says is saved for the backward pass is in these."""


class Layer(Protocol):
    """What every record can do."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        """Returns the shape that comes out, and adds the cost to the tally. Raises ``InfeasibleSpec``."""

    def build(self) -> nn.Module:
        """Returns the torch module, its parameters not yet at their initial values."""


class Identity(NamedTuple):
    """y = x"""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Identity()


IDENTITY = Identity()


def show_shape(shape: Shape) -> str:
    """Writes C H W as ``64x56x56``."""
    return "x".join(map(str, shape))


def misfit(channels: int, shape: Shape) -> InfeasibleSpec:
    """Returns the error of a layer that is made for another number of channels."""
    return InfeasibleSpec(f"a layer of {channels} channels meets a map of {show_shape(shape)}")


def slide(shape: Shape, kernel: int, stride: int) -> tuple[int, int]:
    """Returns the height and width that a window leaves. Odd windows are padded by half, even ones not at all.

    Padding would let a stride of 2 "shrink" a map of 1x1 to 1x1, a stride that silently does nothing. Here nothing is
    left of such a map.
    """
    _, height, width = shape
    if stride > height and stride > width:
        raise InputTooSmall(f"a stride of {stride} leaves nothing of a map of {height}x{width}")
    even = kernel % 2 == 0
    if even and (kernel > height or kernel > width):
        raise InputTooSmall(f"a window of {kernel} doesn't fit into a map of {height}x{width}")
    slack = -kernel if even else -1
    return (height + slack) // stride + 1, (width + slack) // stride + 1
