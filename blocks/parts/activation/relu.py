"""Rectified linear unit. Nair and Hinton 2010."""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("ReLU")


@ACTIVATIONS.register
class ReLUSpec(ActivationSpec):
    """y = max(x, 0)"""

    kind: Literal["relu"] = "relu"

    def layer(self) -> Layer:
        return LAYER
