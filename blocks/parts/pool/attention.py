"""Attention pooling. Radford et al. 2021, section 2.4, https://arxiv.org/abs/2103.00020"""

from __future__ import annotations

from typing import Literal

from blocks.base import Count
from blocks.layers import Layer
from blocks.layers.statistics import AttentionPool
from blocks.parts.pool import POOLS, PoolSpec

CHANNELS_PER_HEAD = 64


@POOLS.register
class AttentionPoolSpec(PoolSpec):
    """W_o softmax(q k^T / sqrt(channels a head)) v + b_o,  q = W_q m + b_q,  k, v = W [m, x_1, ..., x_n] + b.

    m, the mean of the positions x_1, ..., x_n, attends to itself and to all of them. CLIP's has a table of positions as
    well, which ties a network to one size of images; this has none.

    ``heads`` must divide the channels; by default there is one for every 64 channels, or 1 if 64 doesn't divide them.
    """

    kind: Literal["attention"] = "attention"
    heads: Count | None = None

    def layer(self, channels: int) -> Layer:
        usual = 1 if channels % CHANNELS_PER_HEAD else channels // CHANNELS_PER_HEAD
        return AttentionPool(channels, self.heads or usual)
