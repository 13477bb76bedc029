"""No shortcut: a plain network."""

from __future__ import annotations

from typing import Literal

from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec


@SHORTCUTS.register
class NoShortcutSpec(ShortcutSpec):
    """Nothing is added: the block is its branch and the activation after it."""

    kind: Literal["none"] = "none"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> None:
        return None

    def joins(self, in_channels: int, out_channels: int, stride: int) -> bool:
        return False
