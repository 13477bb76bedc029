"""The stem for small images. He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.base import Count
from blocks.layers import Chain, Layer
from blocks.parts.stem import STEMS, ConvolutionalStemSpec


@STEMS.register
class Conv3x3StemSpec(ConvolutionalStemSpec):
    """3x3 convolution to ``width`` channels, norm, activation."""

    kind: Literal["conv3x3"] = "conv3x3"
    width: Count = 16
    stride: Count = 1

    @property
    def reduction(self) -> int:
        return self.stride

    def layers(self, in_channels: int) -> Layer:
        return Chain(self.convolution("", in_channels, self.width, 3, self.stride))
