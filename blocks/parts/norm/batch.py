"""Batch normalisation. Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Fraction, Positive
from blocks.layers import BatchNorm, Layer
from blocks.parts.norm import NORMS, NormSpec


@NORMS.register
class BatchNormSpec(NormSpec):
    """(x - mean) / sqrt(variance + epsilon) of each channel, over the batch and all positions.

    ``momentum`` is the weight of each batch in the running statistics, which take the batch's place in evaluation.
    """

    kind: Literal["batch"] = "batch"
    epsilon: Positive = 1e-5
    momentum: Annotated[Fraction, Field(gt=0)] = 0.1

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return BatchNorm(channels, self.epsilon, self.momentum, zero)
