"""The basic block. He et al. 2015, figure 5 (left), https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Literal

from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import Layer


@register_block
class BasicBlockSpec(ResidualBlockSpec):
    """y = activation(f(x) + shortcut(x)),  f = 3x3 (stride), norm, activation, dropout, 3x3, norm, attention.

    Width is both the inner width and the output's.
    """

    kind: Literal["basic"] = "basic"

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        branch = {
            **self.convolution(1, in_channels, width, self.kernel, stride),
            "inner_attention": self.attend("inner", width, site),
            "dropout": self.drop(),
            **self.convolution(2, width, width, self.kernel, active=False, zero=self.zeroed(site, width)),
        }
        return self.residual(branch, site, width)
