"""Zeros for the channels that are added. He et al. 2015, option A, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Blur, Chain, Layer, ZeroPad
from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec


@SHORTCUTS.register
class ZeroPaddedShortcutSpec(ShortcutSpec):
    """Every stride-th row and column of x, then channels of zeros; it has no parameters, and can't take channels away.

    With ``anti_alias`` a blur subsamples.
    """

    kind: Literal["zero_padded"] = "zero_padded"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer:
        if in_channels == out_channels and stride == 1:
            return IDENTITY
        if not (anti_alias and stride > 1):
            return ZeroPad(in_channels, out_channels, stride)
        blur = Blur(in_channels, stride)
        return (
            blur if in_channels == out_channels else Chain({"blur": blur, "pad": ZeroPad(in_channels, out_channels, 1)})
        )
