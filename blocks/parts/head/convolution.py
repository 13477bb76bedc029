"""A 1x1 convolution before the pooling. Sandler et al. 2018, table 2, https://arxiv.org/abs/1801.04381"""

from __future__ import annotations

from typing import Annotated, Literal

from blocks.base import Count, Rate
from blocks.layers import IDENTITY, Chain, Conv, Flatten, Layer, Linear, dropout
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu6 import ReLU6Spec
from blocks.parts.head import HEADS, HeadSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.pool import POOLS, PoolSpec
from blocks.parts.pool.average import AveragePoolSpec


@HEADS.register
class ConvolutionHeadSpec(HeadSpec):
    """W x + b of x = dropout(pool(activation(norm(1x1 convolution of the map to ``width`` channels)))).

    So MobileNetV2 and EfficientNet (https://arxiv.org/abs/1905.11946) end, there with SiLU in ReLU6's place.
    """

    kind: Literal["convolution"] = "convolution"
    width: Count = 1280
    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLU6Spec()
    pool: Annotated[PoolSpec, POOLS] = AveragePoolSpec()
    dropout: Rate = 0

    def layers(self, in_channels: int) -> Layer:
        norm = self.norm.layer(self.width)
        return Chain(
            {
                "conv": Conv(in_channels, self.width, bias=norm is IDENTITY),
                "norm": norm,
                "activation": self.activation.layer(),
                "pool": self.pool.layer(self.width),
                "flatten": Flatten(),
                "dropout": dropout(self.dropout),
                "linear": Linear(self.width, self.num_classes),
            }
        )
