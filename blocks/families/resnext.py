"""The ResNeXt block. Xie et al. 2016, figure 3 (c), https://arxiv.org/abs/1611.05431"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count, Positive
from blocks.block import Site, register_block
from blocks.families.bottleneck import BottleneckSpec
from blocks.layers import Layer

REFERENCE = 64
"""The width at which a group has ``width_per_group`` channels: a ResNet's first."""


@register_block
class ResNeXtBlockSpec(BottleneckSpec):
    """y = activation(f(x) + shortcut(x)),
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, dropout, 1x1, norm, attention.

    Width is neither of the two, but the width of the ResNet that is its peer: the output has width * expansion
    channels, as the peer's. A group has width * width_per_group / 64 channels, and the inner width is ``groups`` of
    them: 32 of 4 make ResNeXt-50 32x4d; 1 of 128, torchvision's Wide ResNet-50-2. Both to the nearest (halves up), at
    least 1; the published networks leave nothing over.
    """

    kind: Literal["resnext"] = "resnext"
    groups: Count = 32
    width_per_group: Count = 4
    expansion: Positive = 4

    def inner_channels(self, site: Site) -> int:
        return self.groups * scaled(site.width, self.width_per_group / REFERENCE)

    def layers(self, site: Site) -> Layer:
        out = scaled(site.width, self.expansion)
        return self.residual(self.bottleneck(site, self.inner_channels(site), self.groups, out), site, out)
