"""Projection where it is needed. He et al. 2015, option B, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, Blur, Chain, Layer
from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec, projected


@SHORTCUTS.register
class ProjectionShortcutSpec(ShortcutSpec):
    """norm(1x1 convolution with the block's stride) where channels or size change, x itself elsewhere."""

    kind: Literal["projection"] = "projection"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer:
        if in_channels == out_channels and stride == 1:
            return IDENTITY
        if anti_alias and stride > 1:
            return Chain({"blur": Blur(in_channels, stride), **projected(in_channels, out_channels, 1, norm)})
        return Chain(projected(in_channels, out_channels, stride, norm))
