"""The RegNetZ block, inverted and linear. Dollár et al. 2021, https://arxiv.org/abs/2103.06877"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.base import Positive
from blocks.block import Site, register_block
from blocks.families.regnet_x import RegNetSpec
from blocks.layers import IDENTITY, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.silu import SiLUSpec
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.se import SqueezeExciteSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec
from blocks.parts.shortcut.where_equal import WhereEqualShortcutSpec


@register_block
class RegNetZBlockSpec(RegNetSpec):
    """y = f(x) + x, or f(x) where channels or size change,
    f = 1x1, norm, activation, 3x3 (stride, groups), norm, activation, attention, dropout, 1x1, norm.

    Nothing stands behind the sum. The activation is SiLU. Attention is squeeze-and-excitation to a quarter of the
    block's input, with SiLU too, behind the 3x3 convolution.

    Width is the output's; the inner width is width / bottleneck_ratio (1/4: four times as wide), and a multiple of
    ``group_width``.
    """

    kind: Literal["regnet_z"] = "regnet_z"
    bottleneck_ratio: Positive = 1 / 4
    activation: Annotated[ActivationSpec, ACTIVATIONS] = SiLUSpec()
    attention: Annotated[AttentionSpec, ATTENTIONS] = SqueezeExciteSpec(ratio=1 / 4, of="input", activation=SiLUSpec())
    shortcut: Annotated[ShortcutSpec, SHORTCUTS] = WhereEqualShortcutSpec()

    usual_place: ClassVar[str] = "inner"

    def layers(self, site: Site) -> Layer:
        return self.residual(self.transformed(site), site, site.width, activation=IDENTITY)
