"""The identity where it fits. Sandler et al. 2018, https://arxiv.org/abs/1801.04381"""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Layer
from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec


@SHORTCUTS.register
class WhereEqualShortcutSpec(ShortcutSpec):
    """x itself where channels and size stay; elsewhere nothing is added, and the block is its branch."""

    kind: Literal["where_equal"] = "where_equal"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer | None:
        return IDENTITY if self.joins(in_channels, out_channels, stride) else None

    def joins(self, in_channels: int, out_channels: int, stride: int) -> bool:
        return in_channels == out_channels and stride == 1
