"""Exponential linear unit. Clevert et al. 2015, https://arxiv.org/abs/1511.07289"""

from __future__ import annotations

from typing import Literal

from blocks.base import Positive
from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec


@ACTIVATIONS.register
class ELUSpec(ActivationSpec):
    """y = x where x > 0, scale * (exp(x) - 1) elsewhere"""

    kind: Literal["elu"] = "elu"
    scale: Positive = 1

    def layer(self) -> Layer:
        return Elementwise("ELU", self.scale)
