"""The bottleneck with pre-activation. He et al. 2016, figure 1 (b), https://arxiv.org/abs/1603.05027"""

from __future__ import annotations

from typing import Literal

from blocks.arithmetic import scaled
from blocks.base import Count, Positive
from blocks.block import Site, register_block
from blocks.families.preactivation_basic import PreactivationSpec
from blocks.layers import Layer


@register_block
class PreactivationBottleneckBlockSpec(PreactivationSpec):
    """y = x + f(x),
    f = norm, activation, 1x1, norm, activation, 3x3 (stride, groups), norm, activation, dropout, 1x1, attention.

    ``stride_on`` says which convolution has the stride: the ``spatial`` one, as in timm, or the ``first``, as in the
    paper's code.

    Width is the inner width; the output has width * expansion channels, to the nearest (halves up), at least 1.
    """

    kind: Literal["preactivation_bottleneck"] = "preactivation_bottleneck"
    expansion: Positive = 4
    groups: Count = 1
    stride_on: Literal["spatial", "first"] = "spatial"

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        out = scaled(width, self.expansion)
        first, spatial = (stride, 1) if self.stride_on == "first" else (1, stride)
        branch = {
            **self.normed(1, in_channels, width, 1, first),
            **self.normed(2, width, width, self.kernel, spatial, self.groups),
            **self.last(3, width, out, 1, site),
        }
        return self.preactivated(branch, site, out)
