"""Global average pooling and a linear layer. Lin et al. 2013, https://arxiv.org/abs/1312.4400"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Chain, Flatten, GlobalPool, Layer, Linear
from blocks.parts.head import HEADS, HeadSpec


@HEADS.register
class LinearHeadSpec(HeadSpec):
    """The mean of each channel, then W x + b."""

    kind: Literal["linear"] = "linear"

    def layers(self, in_channels: int) -> Layer:
        linear = Linear(in_channels, self.num_classes)
        return Chain({"pool": GlobalPool(), "flatten": Flatten(), "linear": linear})
