"""Layers that multiply by learned weights, and the fixed blur."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec
from blocks.layers.base import FLOAT, ZERO_INIT, misfit, slide

if TYPE_CHECKING:
    from torch import nn


class Conv(NamedTuple):
    """A square convolution. An odd kernel is padded so that stride 1 keeps the map's size; an even one isn't padded.

    With ``zero``, the weights start at 0.
    """

    in_channels: int
    out_channels: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    bias: bool = False
    zero: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        in_channels, out_channels, kernel, stride, groups, bias, _ = self
        channels, height, width = shape
        if channels != in_channels:
            raise misfit(in_channels, shape)
        weights = out_channels * in_channels * kernel * kernel
        if groups == 1:
            kind = "convolution"
        else:
            if in_channels % groups or out_channels % groups:
                raise InfeasibleSpec(
                    f"{groups} groups don't divide a convolution of {in_channels} to {out_channels} channels"
                )
            weights //= groups
            kind = "depthwise convolution" if groups == in_channels else "grouped convolution"
        area = height * width
        saved = 0 if tally.kept[0] else tally.keep(FLOAT * channels * area)
        if stride != 1 or kernel % 2 == 0:
            height, width = slide(shape, kernel, stride)
            area = height * width
        params = weights + out_channels if bias else weights
        tally.rows.append((kind, weights * area, params, out_channels * area, saved, 0))
        tally.kept = [False]
        return out_channels, height, width

    def build(self) -> nn.Module:
        from torch import nn

        in_channels, out_channels, kernel, stride, groups, bias, zero = self
        padding = kernel // 2 if kernel % 2 else 0
        kind: type[nn.Conv2d] = nn.Conv2d
        if kernel == 1 and stride > 1:
            from blocks.modules import StridedPointwiseConv2d

            kind = StridedPointwiseConv2d
        module = kind(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)
        if zero:
            setattr(module, ZERO_INIT, True)
        return module


class Linear(NamedTuple):
    """y = W x + b, on vectors."""

    in_features: int
    out_features: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape != (self.in_features, 1, 1):
            raise misfit(self.in_features, shape)
        weights = self.in_features * self.out_features
        saved = tally.keep(FLOAT * self.in_features)
        tally.rows.append(("linear", weights, weights + self.out_features, self.out_features, saved, 0))
        tally.kept = [False]
        return self.out_features, 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Linear(self.in_features, self.out_features)


class ChannelConv(NamedTuple):
    """A convolution along the channels of a vector, the same weights everywhere; of odd kernel, padded, no bias."""

    kernel: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels = shape[0]
        if shape[1:] != (1, 1):
            raise misfit(channels, shape)
        saved = tally.keep(FLOAT * channels)
        tally.rows.append(("convolution", channels * self.kernel, self.kernel, channels, saved, 0))
        tally.kept = [False]
        return shape

    def build(self) -> nn.Module:
        from blocks.modules import ChannelConvolution

        return ChannelConvolution(self.kernel)


class Blur(NamedTuple):
    """A fixed low-pass filter of 3x3 before subsampling (Zhang 2019, https://arxiv.org/abs/1904.11486).

    It runs as a depthwise convolution and is counted as one, but has no parameters. Beside the map, the backward pass
    keeps the map with its border of reflected pixels.
    """

    channels: int
    stride: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape[0] != self.channels:
            raise misfit(self.channels, shape)
        channels, height, width = shape
        padded = FLOAT * channels * (height + 2) * (width + 2)
        saved = tally.transform(FLOAT * channels * height * width, padded)
        height, width = slide(shape, 3, self.stride)
        out = self.channels * height * width
        tally.rows.append(("depthwise convolution", 9 * out, 0, out, saved, 0))
        return self.channels, height, width

    def build(self) -> nn.Module:
        from blocks.modules import BlurPool

        return BlurPool(self.channels, self.stride)
