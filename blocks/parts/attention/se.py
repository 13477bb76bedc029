"""Squeeze and excitation. Hu et al. 2017, https://arxiv.org/abs/1709.01507"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from blocks.arithmetic import scaled
from blocks.base import Fraction
from blocks.layers import Chain, Conv, Elementwise, GlobalPool, Layer, Scale
from blocks.parts.attention import ATTENTIONS, AttentionSpec


@ATTENTIONS.register
class SqueezeExciteSpec(AttentionSpec):
    """y = x * sigmoid(expand(relu(squeeze(mean of x)))), two 1x1 convolutions with bias.

    ``ratio`` is squeezed channels over the channels that are weighed, which are the block's output (so in SENet and in
    timm's ResNets; RegNet's and EfficientNet's refer to the block's input). Rounded to the nearest, at least 1.
    """

    kind: Literal["se"] = "se"
    ratio: Annotated[Fraction, Field(gt=0)] = 1 / 16

    def layer(self, channels: int) -> Layer:
        return _squeeze_excite(channels, scaled(channels, self.ratio))


@lru_cache(maxsize=1024)  # many blocks of a search weigh as many channels
def _squeeze_excite(channels: int, squeezed: int) -> Layer:
    gate = Chain(
        {
            "pool": GlobalPool(),
            "squeeze": Conv(channels, squeezed, bias=True),
            "activation": Elementwise("ReLU"),
            "expand": Conv(squeezed, channels, bias=True),
            "sigmoid": Elementwise("Sigmoid"),
        }
    )
    return Scale(gate)
