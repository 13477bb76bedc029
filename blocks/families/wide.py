"""The wide residual block. Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Positive
from blocks.block import Site, register_block
from blocks.families.preactivation_basic import PreactivationBasicSpec
from blocks.layers import Layer


@register_block
class WideBlockSpec(PreactivationBasicSpec):
    """y = x + f(x),  f = norm, activation, 3x3 (stride), norm, activation, dropout, 3x3, attention;
    a basic block with pre-activation, ``widen`` times as wide. The paper's dropout is 0.3 on CIFAR, 0.4 on SVHN.

    Width is the width before widening: inner width and output are width * widen, to the nearest (halves up).
    """

    kind: Literal["wide"] = "wide"
    widen: Positive = 2

    def inner_channels(self, site: Site) -> int:
        return scaled(site.width, self.widen)

    def layers(self, site: Site) -> Layer:
        return self.basic(site, self.inner_channels(site))
