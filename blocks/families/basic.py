"""The basic block. He et al. 2015, figure 5 (left), https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import Chain, Conv, Layer


@register_block
class BasicBlockSpec(ResidualBlockSpec):
    """y = activation(f(x) + shortcut(x)),  f = 3x3 (stride), norm, activation, 3x3, norm, attention.

    Width is both the inner width and the output's.
    """

    kind: Literal["basic"] = "basic"

    def inner_channels(self, site: Site) -> int:
        return site.width

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        branch = Chain(
            {
                "conv1": Conv(in_channels, width, 3, stride),
                "norm1": self.norm.layer(width),
                "activation1": self.activation.layer(),
                "conv2": Conv(width, width, 3),
                "norm2": self.norm.layer(width, zero=self.zero_init_residual),
                "attention": self.attention.layer(width),
            }
        )
        return self.residual(branch, site, width)
