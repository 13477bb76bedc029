"""The depthwise-separable convolution. Howard et al. 2017, figure 3, https://arxiv.org/abs/1704.04861"""

from __future__ import annotations

from typing import Annotated, Literal

from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import Layer
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec
from blocks.parts.shortcut.none import NoShortcutSpec


@register_block
class DepthwiseSeparableBlockSpec(ResidualBlockSpec):
    """y = activation(f(x) + shortcut(x)),
    f = depthwise 3x3 (stride), norm, activation, dropout, 1x1, norm, attention; by default without a shortcut.

    Width is the output's; the inner channels, of the depthwise convolution, are the block's input channels.
    ``zero_init_residual`` is for the blocks that have a shortcut.
    """

    kind: Literal["depthwise_separable"] = "depthwise_separable"

    shortcut: Annotated[ShortcutSpec, SHORTCUTS] = NoShortcutSpec()

    def inner_channels(self, site: Site) -> int:
        return site.in_channels

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        branch = {
            **self.convolution(1, in_channels, in_channels, self.kernel, stride, groups=in_channels),
            "inner_attention": self.attend("inner", in_channels, site),
            "dropout": self.drop(),
            **self.convolution(2, in_channels, width, active=False, zero=self.zeroed(site, width)),
        }
        return self.residual(branch, site, width)
