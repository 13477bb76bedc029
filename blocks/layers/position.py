"""Where a position is, told to what can't know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec
from blocks.layers.base import misfit

if TYPE_CHECKING:
    from torch import nn


class SinePosition(NamedTuple):
    """y = x + sines and cosines of the row (the first half of the channels) and of the column (the second).

    Nothing is learned, and maps may have any size (Vaswani et al. 2017, section 3.5, https://arxiv.org/abs/1706.03762).
    """

    channels: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape[0] != self.channels:
            raise misfit(self.channels, shape)
        if self.channels % 4:
            raise InfeasibleSpec(
                f"sines and cosines of rows and columns need a multiple of 4 channels, not {self.channels}"
            )
        tally.transform()
        return shape

    def build(self) -> nn.Module:
        from blocks.positions import SinePositions

        return SinePositions()
