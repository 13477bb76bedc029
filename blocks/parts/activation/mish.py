"""Mish. Misra 2019, https://arxiv.org/abs/1908.08681"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("Mish")


@ACTIVATIONS.register
class MishSpec(ActivationSpec):
    """y = x * tanh(log(1 + exp(x)))"""

    kind: Literal["mish"] = "mish"

    def layer(self) -> Layer:
        return LAYER
