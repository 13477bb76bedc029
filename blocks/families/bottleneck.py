"""The bottleneck block. He et al. 2015, figure 5 (right), https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count, Positive
from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import Chain, Conv, Layer


@register_block
class BottleneckBlockSpec(ResidualBlockSpec):
    """y = activation(f(x) + shortcut(x)),
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, 1x1, norm, attention.

    Width is the inner width; the output has width * expansion channels, to the nearest (halves up), at least 1. The
    stride is on the 3x3, as in torchvision ("v1.5"); the paper has it on the first 1x1.
    """

    kind: Literal["bottleneck"] = "bottleneck"
    expansion: Positive = 4
    groups: Count = 1

    def inner_channels(self, site: Site) -> int:
        return site.width

    def layers(self, site: Site) -> Layer:
        in_channels, inner, stride = site
        out = scaled(inner, self.expansion)
        norm, activation = self.norm.layer(inner), self.activation.layer()
        branch = Chain(
            {
                "conv1": Conv(in_channels, inner, 1),
                "norm1": norm,
                "activation1": activation,
                "conv2": Conv(inner, inner, 3, stride, self.groups),
                "norm2": norm,
                "activation2": activation,
                "conv3": Conv(inner, out, 1),
                "norm3": self.norm.layer(out, zero=self.zero_init_residual),
                "attention": self.attention.layer(out),
            }
        )
        return self.residual(branch, site, out)
