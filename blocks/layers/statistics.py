"""Layers that say what a map is like on the whole: largest values, means, sums, and what its mean attends to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec
from blocks.layers.base import FLOAT, misfit

if TYPE_CHECKING:
    from torch import nn


class GlobalMaxPool(NamedTuple):
    """The largest value of each channel. Positions that share it share its gradient."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        saved = tally.transform(FLOAT * channels * height * width, FLOAT * channels, result=True)
        tally.rows.append(("pooling", 0, 0, 0, saved, 0))
        return channels, 1, 1

    def build(self) -> nn.Module:
        from blocks.parts.modules import GlobalMax

        return GlobalMax()


class MeanAndMax(NamedTuple):
    """Means and largest values: of each channel, over its positions, as C 2 1; or of each position, as 2 H W."""

    over: Literal["positions", "channels"]

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        largest = channels if self.over == "positions" else height * width
        saved = tally.transform(FLOAT * channels * height * width, FLOAT * largest)
        tally.rows.append(("pooling", 0, 0, 0, saved, 0))
        return (channels, 2, 1) if self.over == "positions" else (2, height, width)

    def build(self) -> nn.Module:
        from blocks.parts.modules import MeanAndMax as Module

        return Module(self.over)


class PositionSum(NamedTuple):
    """The sum of each channel over its positions."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        tally.transform()
        return shape[0], 1, 1

    def build(self) -> nn.Module:
        from blocks.parts.modules import PositionSum as Module

        return Module()


class AttentionPool(NamedTuple):
    """A map's mean attends to itself and to all positions (Radford et al. 2021, https://arxiv.org/abs/2103.00020).

    Of p positions and their mean are made p + 1 keys and values, and one query, each by a linear layer; then come the
    two matrix products, and a linear layer.
    """

    channels: int
    heads: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, heads = self
        if shape[0] != channels:
            raise misfit(channels, shape)
        if channels % heads:
            raise InfeasibleSpec(f"{heads} heads don't divide {channels} channels")
        tokens = shape[1] * shape[2] + 1
        linear, ones = channels * channels, 2 * channels  # what of it there is once: the query's and the output's
        rows = 2 * tokens * channels  # the keys and the values
        # Kept are the tokens; query, keys and values; one number a head; and the product, which the output is made of.
        tally.rows += [
            (
                "linear",
                linear * (2 * tokens + 2),
                4 * (linear + channels),
                rows + ones,
                FLOAT * (rows // 2 + channels),
                0,
            ),
            ("attention product", rows, 0, 0, FLOAT * (rows + channels + heads), 0),
        ]
        tally.kept = [False]
        return channels, 1, 1

    def build(self) -> nn.Module:
        from blocks.parts.modules import AttentionPooling

        return AttentionPooling(self.channels, self.heads)
