"""Batch normalisation. Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from blocks.base import Positive
from blocks.layers import Layer, Norm
from blocks.parts.norm import NORMS, NormSpec

if TYPE_CHECKING:
    from torch import nn


@NORMS.register
class BatchNormSpec(NormSpec):
    """(x - mean) / sqrt(variance + epsilon) of each channel, over the batch and all positions."""

    kind: Literal["batch"] = "batch"
    epsilon: Positive = 1e-5

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return Norm(channels, self.module, zero)

    def module(self, channels: int) -> nn.Module:
        from torch import nn

        return nn.BatchNorm2d(channels, eps=self.epsilon)
