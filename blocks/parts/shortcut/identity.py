"""The identity, everywhere. He et al. 2016, https://arxiv.org/abs/1603.05027"""

from __future__ import annotations

from typing import Literal

from blocks.errors import InfeasibleSpec
from blocks.layers import IDENTITY, Layer
from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec


@SHORTCUTS.register
class IdentityShortcutSpec(ShortcutSpec):
    """x itself. A block that changes channels or size can't have it."""

    kind: Literal["identity"] = "identity"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer:
        if in_channels != out_channels or stride != 1:
            raise InfeasibleSpec(
                "a residual sum needs equal shapes, but the identity shortcut carries "
                f"{in_channels} channels past a branch of {out_channels} channels at stride {stride}"
            )
        return IDENTITY
