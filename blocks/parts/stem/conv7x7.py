"""The stem for ImageNet. He et al. 2015, table 1, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.base import Count
from blocks.layers import Chain, Conv, Layer, MaxPool
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.stem import STEMS, StemSpec


@STEMS.register
class Conv7x7StemSpec(StemSpec):
    """7x7 convolution with stride 2 to ``width`` channels, norm, activation, 3x3 max-pooling with stride 2."""

    kind: Literal["conv7x7"] = "conv7x7"
    usual_size: ClassVar[int] = 224

    width: Count = 64
    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()

    def layers(self, in_channels: int) -> Layer:
        return Chain(
            {
                "conv": Conv(in_channels, self.width, kernel=7, stride=2),
                "norm": self.norm.layer(self.width),
                "activation": self.activation.layer(),
                "pool": MaxPool(kernel=3, stride=2),
            }
        )
