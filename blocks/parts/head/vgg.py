"""Linear layers on a grid of positions. Simonyan and Zisserman 2014, table 1, https://arxiv.org/abs/1409.1556"""

from __future__ import annotations

from typing import Annotated, Literal

from blocks.base import Count, Rate
from blocks.layers import AdaptivePool, Chain, Flatten, Layer, Linear, MaxPool, dropout
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.head import HEADS, HeadSpec


@HEADS.register
class VGGHeadSpec(HeadSpec):
    """2x2 max-pooling with stride 2, means of a ``grid`` x ``grid`` of positions, linear layers.

    Each ``hidden`` layer is followed by the activation and dropout. At the paper's 224x224 the map is 7x7 already, and
    the means change nothing; they let images of other sizes through, as in torchvision.
    """

    kind: Literal["vgg"] = "vgg"
    grid: Count = 7
    hidden: tuple[Count, ...] = (4096, 4096)
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    dropout: Rate = 0.5

    def layers(self, in_channels: int) -> Layer:
        layers: dict[str, Layer] = {
            "max_pool": MaxPool(kernel=2, stride=2),
            "pool": AdaptivePool(self.grid),
            "flatten": Flatten(),
        }
        features = in_channels * self.grid**2
        for index, width in enumerate(self.hidden, 1):
            layers[f"hidden{index}"] = Linear(features, width)
            layers[f"activation{index}"] = self.activation.layer()
            layers[f"dropout{index}"] = dropout(self.dropout)
            features = width
        return Chain({**layers, "linear": Linear(features, self.num_classes)})
