"""The stem for small images. He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.base import Count
from blocks.layers import Chain, Conv, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.stem import STEMS, StemSpec


@STEMS.register
class Conv3x3StemSpec(StemSpec):
    """3x3 convolution to ``width`` channels, norm, activation."""

    kind: Literal["conv3x3"] = "conv3x3"
    usual_size: ClassVar[int] = 32

    width: Count = 16
    stride: Count = 1
    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()

    def layers(self, in_channels: int) -> Layer:
        conv = Conv(in_channels, self.width, kernel=3, stride=self.stride)
        return Chain({"conv": conv, "norm": self.norm.layer(self.width), "activation": self.activation.layer()})
