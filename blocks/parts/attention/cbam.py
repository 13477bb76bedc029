"""Convolutional block attention. Woo et al. 2018, https://arxiv.org/abs/1807.06521"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from blocks.arithmetic import scaled
from blocks.base import Fraction, Kernel
from blocks.layers import IDENTITY, Chain, Conv, Elementwise, Layer, Scale
from blocks.layers.statistics import MeanAndMax, PositionSum
from blocks.parts.attention import ATTENTIONS, PlacedAttentionSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec


@ATTENTIONS.register
class ConvolutionalBlockAttentionSpec(PlacedAttentionSpec):
    """y = c * sigmoid(norm(convolution([mean; max] of c's channels))),
    c = x * sigmoid(f(mean of x's positions) + f(max of x's positions)),  f = expand(relu(squeeze)), without bias.

    f runs twice: its MACs count twice, its parameters once. The norm isn't in the paper, but in its authors' code.

    Attributes:
        ratio: Squeezed channels over channels. Rounded to the nearest, at least 1.
        kernel: Of the spatial gate's convolution.
        norm: Of the spatial gate, over its one channel.
    """

    kind: Literal["cbam"] = "cbam"
    ratio: Annotated[Fraction, Field(gt=0)] = 1 / 16
    kernel: Kernel = 7
    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()

    def layer(self, channels: int, in_channels: int) -> Layer:
        gate = _channel_gate(channels, scaled(channels, self.ratio))
        return Chain({"channels": gate, "positions": _position_gate(self.kernel, self.norm)})


@lru_cache(maxsize=1024)
def _channel_gate(channels: int, squeezed: int) -> Layer:
    layers: dict[str, Layer] = {
        "pool": MeanAndMax("positions"),  # two positions, through which the convolutions pass at once
        "squeeze": Conv(channels, squeezed),
        "activation": Elementwise("ReLU"),
        "expand": Conv(squeezed, channels),
        "sum": PositionSum(),
        "gate": Elementwise("Sigmoid"),
    }
    return Scale(Chain(layers))


@lru_cache(maxsize=1024)
def _position_gate(kernel: int, norm: NormSpec) -> Layer:
    normed = norm.layer(1)
    layers: dict[str, Layer] = {
        "pool": MeanAndMax("channels"),
        "conv": Conv(2, 1, kernel, bias=normed is IDENTITY),
        "norm": normed,
        "gate": Elementwise("Sigmoid"),
    }
    return Scale(Chain(layers))
