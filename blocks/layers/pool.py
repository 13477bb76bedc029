"""Layers that change a map's size or padding without learned weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall
from blocks.layers.base import FLOAT, misfit, slide

if TYPE_CHECKING:
    from torch import nn

INDEX = 8
"""Bytes of the position that max-pooling keeps for each of its outputs."""


class MaxPool(NamedTuple):
    """The largest of each window, padded as `Conv` is."""

    kernel: int
    stride: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels = shape[0]
        height, width = slide(shape, self.kernel, self.stride)
        out = channels * height * width
        saved = tally.transform(FLOAT * channels * shape[1] * shape[2], INDEX * out)
        tally.rows.append(("pooling", 0, 0, out, saved, 0))
        return channels, height, width

    def build(self) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(self.kernel, self.stride, self.kernel // 2 if self.kernel % 2 else 0)


class AveragePool(NamedTuple):
    """The mean of each window of stride x stride.

    What is left over at the border is dropped; with ``ceil``, it makes smaller windows of its own.
    """

    stride: int
    ceil: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        stride = self.stride
        if (stride > height and stride > width) or (not self.ceil and (stride > height or stride > width)):
            raise InputTooSmall(f"a window of {stride} leaves nothing of a map of {height}x{width}")
        slack = stride - 1 if self.ceil else 0
        rows, columns = (height + slack) // stride, (width + slack) // stride
        saved = tally.transform(FLOAT * channels * height * width)
        tally.rows.append(("pooling", 0, 0, channels * rows * columns, saved, 0))
        return channels, rows, columns

    def build(self) -> nn.Module:
        from torch import nn

        return nn.AvgPool2d(self.stride, self.stride, ceil_mode=self.ceil, count_include_pad=False)


class AdaptivePool(NamedTuple):
    """The means of a grid of size x size windows that cover the map, whatever its size."""

    size: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        given = FLOAT * shape[0] * shape[1] * shape[2] if self.size > 1 else 0  # a mean's gradient needs no values
        tally.rows.append(("pooling", 0, 0, 0, tally.transform(given), 0))
        return shape[0], self.size, self.size

    def build(self) -> nn.Module:
        from torch import nn

        return nn.AdaptiveAvgPool2d(self.size)


class GlobalPool(NamedTuple):
    """The mean of each channel."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        tally.transform()
        return shape[0], 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.AdaptiveAvgPool2d(1)


class Flatten(NamedTuple):
    """A map as a vector."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape[0] * shape[1] * shape[2], 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Flatten()


class ZeroPad(NamedTuple):
    """Every stride-th row and column, and channels of zeros behind those that there are."""

    in_channels: int
    out_channels: int
    stride: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        in_channels, out_channels, stride = self
        if out_channels < in_channels:
            raise InfeasibleSpec(f"zeros can't pad {in_channels} channels to {out_channels}")
        channels, height, width = shape
        if channels != in_channels:
            raise misfit(in_channels, shape)
        if stride != 1:
            height, width = slide(shape, 1, stride)
        tally.transform()
        return out_channels, height, width

    def build(self) -> nn.Module:
        from blocks.modules import ZeroPadding

        return ZeroPadding(self.out_channels - self.in_channels, self.stride)
