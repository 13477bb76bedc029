"""Squeeze and excitation. Hu et al. 2017, https://arxiv.org/abs/1709.01507"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from blocks.arithmetic import scaled
from blocks.base import Count, Fraction
from blocks.layers import Chain, Conv, Elementwise, GlobalPool, Layer, Scale
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.attention import ATTENTIONS, PlacedAttentionSpec

GATES = {"sigmoid": "Sigmoid", "hardsigmoid": "Hardsigmoid"}


@ATTENTIONS.register
class SqueezeExciteSpec(PlacedAttentionSpec):
    """y = x * gate(expand(activation(squeeze(mean of x)))), two 1x1 convolutions with bias.

    The defaults are SENet's. In an inverted bottleneck the channels that are weighed are the expanded ones, and
    EfficientNet's is ``{kind: se, ratio: 0.25, of: input, activation: silu}`` instead.

    Attributes:
        ratio: Squeezed channels over those that it refers to.
        of: What ``ratio`` refers to: the channels that are ``weighed`` (SENet, timm's ResNets), or those of the block's
            ``input`` (RegNetY, https://arxiv.org/abs/2003.13678; EfficientNet, https://arxiv.org/abs/1905.11946).
        multiple_of: Squeezed channels are rounded to the nearest multiple of this (halves up), at least one of them;
            timm's SE-ResNets have multiples of 8.
        activation: Of the squeezed channels.
        gate: ``hardsigmoid`` is min(max(x + 3, 0), 6) / 6, as in MobileNetV3 (https://arxiv.org/abs/1905.02244).
    """

    kind: Literal["se"] = "se"
    ratio: Annotated[Fraction, Field(gt=0)] = 1 / 16
    of: Literal["weighed", "input"] = "weighed"
    multiple_of: Count = 1
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    gate: Literal["sigmoid", "hardsigmoid"] = "sigmoid"

    def layer(self, channels: int, in_channels: int) -> Layer:
        whole = channels if self.of == "weighed" else in_channels
        squeezed = scaled(whole, self.ratio / self.multiple_of) * self.multiple_of
        return _squeeze_excite(channels, squeezed, self.activation, self.gate)


@lru_cache(maxsize=1024)  # many blocks of a search weigh as many channels
def _squeeze_excite(channels: int, squeezed: int, activation: ActivationSpec, gate: str) -> Layer:
    layers: dict[str, Layer] = {
        "pool": GlobalPool(),
        "squeeze": Conv(channels, squeezed, bias=True),
        "activation": activation.layer(),
        "expand": Conv(squeezed, channels, bias=True),
        "gate": Elementwise(GATES[gate]),
    }
    return Scale(Chain(layers))
