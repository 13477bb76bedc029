"""Hard swish. Howard et al. 2019, https://arxiv.org/abs/1905.02244"""

from __future__ import annotations

from typing import Literal

from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

LAYER = Elementwise("Hardswish")


@ACTIVATIONS.register
class HardswishSpec(ActivationSpec):
    """y = x * min(max(x + 3, 0), 6) / 6"""

    kind: Literal["hardswish"] = "hardswish"

    def layer(self) -> Layer:
        return LAYER
