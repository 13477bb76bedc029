"""Global average pooling. Lin et al. 2013, https://arxiv.org/abs/1312.4400"""

from __future__ import annotations

from typing import Literal

from blocks.layers import GlobalPool, Layer
from blocks.parts.pool import POOLS, PoolSpec


@POOLS.register
class AveragePoolSpec(PoolSpec):
    """The mean of each channel."""

    kind: Literal["average"] = "average"

    def layer(self, channels: int) -> Layer:
        return GlobalPool()
