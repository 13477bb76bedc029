"""Three 3x3 convolutions in the place of one of 7x7. He et al. 2018 (ResNet-C), https://arxiv.org/abs/1812.01187"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count
from blocks.layers import Chain, Conv, Layer
from blocks.parts.stem import STEMS, PooledStemSpec


@STEMS.register
class DeepStemSpec(PooledStemSpec):
    """3x3 convolutions, the first with stride 2, each followed by norm and activation; 3x3 max-pooling with stride 2.

    Attributes:
        width: The channels that the last one puts out.
        inner: Those of the first two; by default half of the width (32, 32, 64). timm's tiered stems have 24, 32, 64.
        last: ``bare``: the last one has neither norm nor activation, nor a bias unless it is asked for; these are then
            the first block's, a pre-activation.
    """

    kind: Literal["deep"] = "deep"
    inner: tuple[Count, Count] | None = None
    last: Literal["normed", "bare"] = "normed"

    def layers(self, in_channels: int) -> Layer:
        first, second = self.inner or (scaled(self.width, 0.5),) * 2
        two = {**self.convolution(1, in_channels, first, 3, 2), **self.convolution(2, first, second, 3)}
        return Chain({**two, **self._last(second), **self.pooling()})

    def _last(self, in_channels: int) -> dict[str, Layer]:
        if self.last == "bare":
            return {"conv3": Conv(in_channels, self.width, 3, bias=bool(self.bias))}
        return self.convolution(3, in_channels, self.width, 3)
