"""No normalisation."""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Layer
from blocks.parts.norm import NORMS, NormSpec


@NORMS.register
class NoNormSpec(NormSpec):
    """y = x. The convolution before it has a bias."""

    kind: Literal["none"] = "none"

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return IDENTITY
