"""Global pooling and a linear layer. Lin et al. 2013, https://arxiv.org/abs/1312.4400"""

from __future__ import annotations

from typing import Annotated, Literal

from blocks.base import Rate
from blocks.layers import Chain, Flatten, Layer, Linear, dropout
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.none import NoActivationSpec
from blocks.parts.head import HEADS, HeadSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.none import NoNormSpec
from blocks.parts.pool import POOLS, PoolSpec
from blocks.parts.pool.average import AveragePoolSpec


@HEADS.register
class LinearHeadSpec(HeadSpec):
    """W x + b of x = dropout(pooled_norm(pool(activation(norm(map))))).

    Attributes:
        norm: Of the map. Networks whose blocks end without one need it, pre-activation ResNets and DenseNets; likewise
            ``activation``.
        pool: From the map to a vector.
        pooled_norm: Of the vector, as in ConvNeXt (https://arxiv.org/abs/2201.03545).
        dropout: The probability that an element of the vector is set to 0 while training.
    """

    kind: Literal["linear"] = "linear"
    norm: Annotated[NormSpec, NORMS] = NoNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = NoActivationSpec()
    pool: Annotated[PoolSpec, POOLS] = AveragePoolSpec()
    pooled_norm: Annotated[NormSpec, NORMS] = NoNormSpec()
    dropout: Rate = 0

    def layers(self, in_channels: int) -> Layer:
        return Chain(
            {
                "norm": self.norm.layer(in_channels),
                "activation": self.activation.layer(),
                "pool": self.pool.layer(in_channels),
                "pooled_norm": self.pooled_norm.layer(in_channels),
                "flatten": Flatten(),
                "dropout": dropout(self.dropout),
                "linear": Linear(in_channels, self.num_classes),
            }
        )
