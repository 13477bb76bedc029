"""No activation function."""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec


@ACTIVATIONS.register
class NoActivationSpec(ActivationSpec):
    """y = x"""

    kind: Literal["none"] = "none"

    def layer(self) -> Layer:
        return IDENTITY
