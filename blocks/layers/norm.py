"""Normalisation, each with a scale and a shift a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall
from blocks.layers.base import FLOAT, ZERO_INIT, misfit

if TYPE_CHECKING:
    from torch import nn


class BatchNorm(NamedTuple):
    """(x - mean) / sqrt(variance + epsilon) of each channel, over the batch. With ``zero``, the scale starts at 0."""

    channels: int
    epsilon: float = 1e-5
    momentum: float = 0.1
    zero: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        if channels != self[0]:
            raise misfit(self[0], shape)
        both = 2 * channels
        tally.rows.append(("norm", 0, both, 0, tally.keep(FLOAT * channels * height * width), FLOAT * both))
        tally.kept = [False]
        tally.normed = min(height * width, tally.normed or height * width)
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        return _marked(nn.BatchNorm2d(self.channels, eps=self.epsilon, momentum=self.momentum), self.zero)


class GroupNorm(NamedTuple):
    """The same of each group of channels, over the group and all positions of an image.

    With as many groups as channels, of a map of 1x1, nothing would be left: each value is its own mean.
    """

    groups: int
    channels: int
    epsilon: float = 1e-5
    zero: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        if channels != self.channels:
            raise misfit(self.channels, shape)
        if channels % self.groups:
            raise InfeasibleSpec(f"{self.groups} groups don't divide the {channels} channels of a group norm")
        if self.groups == channels and height == width == 1:
            raise InputTooSmall("a norm of each channel leaves nothing of a map of 1x1")
        saved = tally.keep(FLOAT * channels * height * width) + 2 * FLOAT * self.groups
        tally.rows.append(("norm", 0, 2 * channels, 0, saved, 0))
        tally.kept = [False]
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        return _marked(nn.GroupNorm(self.groups, self.channels, eps=self.epsilon), self.zero)


class ChannelNorm(NamedTuple):
    """The same of each position, over its channels, of which there must be two to leave anything."""

    channels: int
    epsilon: float = 1e-6
    zero: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        if channels != self.channels:
            raise misfit(self.channels, shape)
        if channels == 1:
            raise InfeasibleSpec("a layer norm leaves nothing of a map of 1 channel")
        saved = tally.keep(FLOAT * channels * height * width) + 2 * FLOAT * height * width
        tally.rows.append(("norm", 0, 2 * channels, 0, saved, 0))
        tally.kept = [False]
        return shape

    def build(self) -> nn.Module:
        from blocks.modules import ChannelNorm as Module

        return _marked(Module(self.channels, eps=self.epsilon), self.zero)


def _marked(module: nn.Module, zero: bool) -> nn.Module:
    setattr(module, ZERO_INIT, zero)
    return module
