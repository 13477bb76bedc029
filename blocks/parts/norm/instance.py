"""Instance normalisation. Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022"""

from __future__ import annotations

from typing import Literal

from blocks.base import Positive
from blocks.layers import GroupNorm, Layer
from blocks.parts.norm import NORMS, NormSpec


@NORMS.register
class InstanceNormSpec(NormSpec):
    """(x - mean) / sqrt(variance + epsilon) of each channel, over all positions of an image.

    It is a group norm with as many groups as channels, and built as one. Of a map of 1x1 it would leave nothing.
    """

    kind: Literal["instance"] = "instance"
    epsilon: Positive = 1e-5

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return GroupNorm(channels, channels, self.epsilon, zero)
