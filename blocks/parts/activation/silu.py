"""Sigmoid linear unit, or swish. Elfwing et al. 2017, https://arxiv.org/abs/1702.03118"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("SiLU")


@ACTIVATIONS.register
class SiLUSpec(ActivationSpec):
    """y = x * sigmoid(x)"""

    kind: Literal["silu"] = "silu"

    def layer(self) -> Layer:
        return LAYER
