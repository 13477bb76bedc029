"""Gaussian error linear unit. Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("GELU")


@ACTIVATIONS.register
class GELUSpec(ActivationSpec):
    """y = x * P(Z <= x), Z standard normal"""

    kind: Literal["gelu"] = "gelu"

    def layer(self) -> Layer:
        return LAYER
