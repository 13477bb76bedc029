"""The RegNetY block, RegNetX's with attention. Radosavovic et al. 2020, section 5, https://arxiv.org/abs/2003.13678"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.block import Site, register_block
from blocks.families.regnet_x import RegNetSpec
from blocks.layers import Layer
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.se import SqueezeExciteSpec


@register_block
class RegNetYBlockSpec(RegNetSpec):
    """y = activation(f(x) + shortcut(x)),
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, attention, dropout, 1x1, norm.

    Attention is squeeze-and-excitation to a quarter of the block's input, behind the 3x3 convolution.

    Width is the output's; the inner width is width / bottleneck_ratio, and a multiple of ``group_width``.
    """

    kind: Literal["regnet_y"] = "regnet_y"
    attention: Annotated[AttentionSpec, ATTENTIONS] = SqueezeExciteSpec(ratio=1 / 4, of="input")

    usual_place: ClassVar[str] = "inner"

    def layers(self, site: Site) -> Layer:
        return self.residual(self.transformed(site), site, site.width)
