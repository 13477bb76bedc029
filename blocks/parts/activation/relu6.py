"""Rectified linear unit with a ceiling. Howard et al. 2017, https://arxiv.org/abs/1704.04861"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("ReLU6")


@ACTIVATIONS.register
class ReLU6Spec(ActivationSpec):
    """y = min(max(x, 0), 6)"""

    kind: Literal["relu6"] = "relu6"

    def layer(self) -> Layer:
        return LAYER
