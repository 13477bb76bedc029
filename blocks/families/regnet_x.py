"""The RegNetX block. Radosavovic et al. 2020, figure 4, https://arxiv.org/abs/2003.13678"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count, Positive
from blocks.block import Site, register_block
from blocks.errors import InfeasibleSpec
from blocks.families.bottleneck import BottleneckSpec
from blocks.layers import Layer


class RegNetSpec(BottleneckSpec):
    """What RegNet's blocks share.

    Width is the output's; the inner width is width / bottleneck_ratio, to the nearest (halves up), at least 1. The 3x3
    convolution has groups of ``group_width`` channels, which must divide the inner width; the ``regnet`` generator
    chooses widths that do.
    """

    group_width: Count = 8
    bottleneck_ratio: Positive = 1

    def inner_channels(self, site: Site) -> int:
        return scaled(site.width, 1 / self.bottleneck_ratio)

    def transformed(self, site: Site) -> dict[str, Layer]:
        """Returns the branch, up to the norm after its last convolution."""
        inner = self.inner_channels(site)
        groups, rest = divmod(inner, self.group_width)
        if rest:
            raise InfeasibleSpec(f"groups of {self.group_width} channels don't divide the {inner} inner channels")
        return self.bottleneck(site, inner, groups, site.width)


@register_block
class RegNetXBlockSpec(RegNetSpec):
    """y = activation(f(x) + shortcut(x)),
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, dropout, 1x1, norm, attention.

    Width is the output's; the inner width is width / bottleneck_ratio, and a multiple of ``group_width``.
    """

    kind: Literal["regnet_x"] = "regnet_x"

    def layers(self, site: Site) -> Layer:
        return self.residual(self.transformed(site), site, site.width)
