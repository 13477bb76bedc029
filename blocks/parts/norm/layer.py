"""Layer normalisation of maps. Ba et al. 2016, https://arxiv.org/abs/1607.06450; on maps as in ConvNeXt."""

from __future__ import annotations

from typing import Literal

from blocks.base import Positive
from blocks.layers import ChannelNorm, Layer
from blocks.parts.norm import NORMS, NormSpec


@NORMS.register
class LayerNormSpec(NormSpec):
    """(x - mean) / sqrt(variance + epsilon) of each position, over its channels (https://arxiv.org/abs/2201.03545).

    The other norm of this name, over channels *and* positions, is ``{kind: group, groups: 1}``.
    """

    kind: Literal["layer"] = "layer"
    epsilon: Positive = 1e-6

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return ChannelNorm(channels, self.epsilon, zero)
