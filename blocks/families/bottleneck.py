"""The bottleneck block. He et al. 2015, figure 5 (right), https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count, Positive
from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import Layer


class BottleneckSpec(ResidualBlockSpec):
    """What bottlenecks share: 1x1 to the inner channels, 3x3 among them, 1x1 to the output's.

    ``stride_on`` says which convolution has the stride: the ``spatial`` one, as in torchvision ("v1.5"), or the
    ``first``, as in the paper ("v1").
    """

    stride_on: Literal["spatial", "first"] = "spatial"

    def bottleneck(self, site: Site, inner: int, groups: int, out: int) -> dict[str, Layer]:
        """Returns the branch, up to the norm after its last convolution."""
        in_channels, _, stride = site
        first, spatial = (stride, 1) if self.stride_on == "first" else (1, stride)
        return {
            **self.convolution(1, in_channels, inner, 1, first),
            **self.convolution(2, inner, inner, self.kernel, spatial, groups),
            "inner_attention": self.attend("inner", inner, site),
            "dropout": self.drop(),
            **self.convolution(3, inner, out, active=False, zero=self.zeroed(site, out)),
        }


@register_block
class BottleneckBlockSpec(BottleneckSpec):
    """y = activation(f(x) + shortcut(x)),
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, dropout, 1x1, norm, attention.

    Width is the inner width; the output has width * expansion channels, to the nearest (halves up), at least 1.
    """

    kind: Literal["bottleneck"] = "bottleneck"
    expansion: Positive = 4
    groups: Count = 1

    def layers(self, site: Site) -> Layer:
        out = scaled(site.width, self.expansion)
        return self.residual(self.bottleneck(site, site.width, self.groups, out), site, out)
