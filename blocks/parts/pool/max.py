"""Global max-pooling. Oquab et al. 2015, https://www.di.ens.fr/~josef/publications/Oquab15.pdf"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Layer
from blocks.layers.statistics import GlobalMaxPool
from blocks.parts.pool import POOLS, PoolSpec


@POOLS.register
class MaxPoolSpec(PoolSpec):
    """The largest value of each channel."""

    kind: Literal["max"] = "max"

    def layer(self, channels: int) -> Layer:
        return GlobalMaxPool()
