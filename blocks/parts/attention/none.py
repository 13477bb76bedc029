"""No attention."""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Layer
from blocks.parts.attention import ATTENTIONS, AttentionSpec


@ATTENTIONS.register
class NoAttentionSpec(AttentionSpec):
    """y = x"""

    kind: Literal["none"] = "none"

    def layer(self, channels: int, in_channels: int) -> Layer:
        return IDENTITY
