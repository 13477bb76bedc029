"""Functions of each element, and what scales or drops them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.layers.base import FLOAT, IDENTITY, Layer, misfit

if TYPE_CHECKING:
    from torch import nn

KEEP_THEIR_RESULT = {"ReLU", "Sigmoid", "Tanh"}
"""For their gradients torch keeps what comes out of these functions; of the others, what goes in."""


class Elementwise(NamedTuple):
    """A function of each element; ``function`` is torch's name of it, ``"ReLU"``, with the value of its parameter."""

    function: str
    value: float | None = None

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, height, width = shape
        size = FLOAT * channels * height * width
        keeps_result = self[0] in KEEP_THEIR_RESULT
        saved = tally.transform(more=size, result=True) if keeps_result else tally.transform(size)
        tally.rows.append(("activation", 0, 0, 0, saved, 0))
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        function = getattr(nn, self.function)
        module: nn.Module = function() if self.value is None else function(self.value)
        return module


class Dropout(NamedTuple):
    """Sets elements to 0 with this probability, while training (Srivastava et al. 2014). Its mask is kept."""

    rate: float

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        mask = FLOAT * shape[0] * shape[1] * shape[2]
        tally.rows.append(("dropout", 0, 0, 0, tally.transform(more=mask), 0))
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)


def dropout(rate: float) -> Layer:
    """Returns the dropout of this rate; at 0 there is none."""
    return Dropout(rate) if rate else IDENTITY


class LayerScale(NamedTuple):
    """y = scale * x, a learned scale a channel (Touvron et al. 2021, https://arxiv.org/abs/2103.17239)."""

    channels: int
    initial: float

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape[0] != self.channels:
            raise misfit(self.channels, shape)
        saved = tally.keep(FLOAT * shape[0] * shape[1] * shape[2])
        tally.rows.append(("scale", 0, self.channels, 0, saved, 0))
        tally.kept = [False]
        return shape

    def build(self) -> nn.Module:
        from blocks.modules import LayerScale as Module

        return Module(self.channels, self.initial)
