"""The stem for ImageNet. He et al. 2015, table 1, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Chain, Layer
from blocks.parts.stem import STEMS, PooledStemSpec


@STEMS.register
class Conv7x7StemSpec(PooledStemSpec):
    """7x7 convolution with stride 2 to ``width`` channels, norm, activation, 3x3 max-pooling with stride 2."""

    kind: Literal["conv7x7"] = "conv7x7"

    def layers(self, in_channels: int) -> Layer:
        return Chain({**self.convolution("", in_channels, self.width, 7, 2), **self.pooling()})
