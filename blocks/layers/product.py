"""The products of attention between positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec
from blocks.layers.base import FLOAT, misfit

if TYPE_CHECKING:
    from torch import nn


class AttentionProduct(NamedTuple):
    """softmax(q k^T / sqrt(channels a head)) v among all positions of a map, from 3 * channels: q, k, v.

    Two matrix products: 2 * positions^2 * channels MACs (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762).
    """

    channels: int
    heads: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        channels, heads = self
        given, height, width = shape
        if given != 3 * channels:
            raise misfit(3 * channels, shape)
        if channels % heads:
            raise InfeasibleSpec(f"{heads} heads don't divide {channels} channels")
        positions = height * width
        # The three inputs are one tensor. Beside them and its result, the fused product keeps one number a query.
        saved = tally.transform(FLOAT * given * positions, FLOAT * (channels + heads) * positions, result=True)
        tally.rows.append(("attention product", 2 * positions * positions * channels, 0, 0, saved, 0))
        return channels, height, width

    def build(self) -> nn.Module:
        from blocks.modules import DotProductAttention

        return DotProductAttention(self.heads)
