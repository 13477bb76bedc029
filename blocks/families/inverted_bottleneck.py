"""The inverted bottleneck, or MBConv. Sandler et al. 2018, https://arxiv.org/abs/1801.04381"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.arithmetic import scaled
from blocks.base import Positive
from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import IDENTITY, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu6 import ReLU6Spec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec
from blocks.parts.shortcut.where_equal import WhereEqualShortcutSpec


@register_block
class InvertedBottleneckBlockSpec(ResidualBlockSpec):
    """y = f(x) + shortcut(x),
    f = 1x1, norm, activation, depthwise 3x3 (stride), norm, activation, attention, dropout, 1x1, norm.

    Width is the output's; the inner channels are the block's input channels * expansion, to the nearest (halves up), at
    least 1. Where that leaves them as they are, the first 1x1 is left out. Nothing is activated behind the sum.

    MobileNetV2 has no attention. EfficientNet's block (Tan and Le 2019, https://arxiv.org/abs/1905.11946) has SiLU and
    ``attention: {kind: se, ratio: 0.25, of: input, activation: silu}``; a bare ``attention: se`` squeezes the expanded
    channels to 1/16 of them, with ReLU. ``zero_init_residual`` is for the blocks that have a shortcut.
    """

    kind: Literal["inverted_bottleneck"] = "inverted_bottleneck"
    usual_place: ClassVar[str] = "inner"

    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLU6Spec()
    shortcut: Annotated[ShortcutSpec, SHORTCUTS] = WhereEqualShortcutSpec()
    expansion: Positive = 6

    def inner_channels(self, site: Site) -> int:
        return scaled(site.in_channels, self.expansion)

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        inner = self.inner_channels(site)
        branch = {
            **({} if inner == in_channels else self.convolution(1, in_channels, inner)),
            **self.convolution(2, inner, inner, self.kernel, stride, groups=inner),
            "inner_attention": self.attend("inner", inner, site),
            "dropout": self.drop(),
            **self.convolution(3, inner, width, active=False, zero=self.zeroed(site, width)),
        }
        return self.residual(branch, site, width, activation=IDENTITY)
