"""No stem."""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Layer
from blocks.parts.stem import STEMS, StemSpec


@STEMS.register
class NoStemSpec(StemSpec):
    """The first stage is given the image itself."""

    kind: Literal["none"] = "none"

    @property
    def reduction(self) -> int:
        return 1

    def layers(self, in_channels: int) -> Layer:
        return IDENTITY
