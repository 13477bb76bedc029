"""Efficient channel attention. Wang et al. 2019, https://arxiv.org/abs/1910.03151"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, Self

from pydantic import model_validator

from blocks.base import Kernel, Number, Positive
from blocks.layers import Chain, ChannelConv, Elementwise, GlobalPool, Layer, Scale
from blocks.parts.attention import ATTENTIONS, PlacedAttentionSpec

GAMMA, BETA = 2, 1


@ATTENTIONS.register
class EfficientChannelAttentionSpec(PlacedAttentionSpec):
    """y = x * sigmoid(convolution of the channels' means, along the channels, without bias).

    Give the ``kernel``, or ``gamma`` and ``beta``: the kernel is then the odd number nearest to
    (log2(channels) + beta) / gamma (equation 12; of two, the larger), at least 3.
    """

    kind: Literal["eca"] = "eca"
    kernel: Kernel | None = None
    gamma: Positive = GAMMA
    beta: Number = BETA

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.kernel is not None and (self.gamma, self.beta) != (GAMMA, BETA):
            raise ValueError("give the kernel, or gamma and beta, not both")
        return self

    def layer(self, channels: int, in_channels: int) -> Layer:
        return _channel_gate(self.kernel or self._kernel(channels))

    def _kernel(self, channels: int) -> int:
        return max(3, int(abs(math.log2(channels) + self.beta) / self.gamma) | 1)


@lru_cache(maxsize=64)
def _channel_gate(kernel: int) -> Layer:
    return Scale(Chain({"pool": GlobalPool(), "conv": ChannelConv(kernel), "gate": Elementwise("Sigmoid")}))
