"""Average pooling before the projection. He et al. 2018 (ResNet-D), https://arxiv.org/abs/1812.01187"""

from __future__ import annotations

from typing import Literal

from blocks.layers import IDENTITY, AveragePool, Chain, Layer
from blocks.parts.norm import NormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec, projected


@SHORTCUTS.register
class AverageProjectionShortcutSpec(ShortcutSpec):
    """norm(1x1 convolution(means of windows of the stride's size)) where channels or size change, x itself elsewhere.

    A window that hangs over the border is the mean of what it covers, so that no position is left out. The means are a
    low-pass filter already: ``anti_alias`` adds no blur.
    """

    kind: Literal["average_projection"] = "average_projection"

    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer:
        if in_channels == out_channels and stride == 1:
            return IDENTITY
        pool = AveragePool(stride, ceil=True) if stride > 1 else IDENTITY
        return Chain({"pool": pool, **projected(in_channels, out_channels, 1, norm)})
