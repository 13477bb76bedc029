"""The dense block's layer, and the transition between two. Huang et al. 2016, https://arxiv.org/abs/1608.06993"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from blocks.arithmetic import scaled
from blocks.base import Fraction, Positive
from blocks.block import ConvolutionalBlockSpec, Site, register_block
from blocks.layers import IDENTITY, AveragePool, Blur, Chain, Concat, Layer


@register_block
class DenseBlockSpec(ConvolutionalBlockSpec):
    """y = x with the channels of f(x) behind its own,
    f = norm, activation, 1x1, norm, activation, 3x3, dropout, attention  (a layer of DenseNet-BC).

    A block with a stride, a stage's first, has the transition in front: norm, activation, 1x1 to ``compression`` times
    the channels, and the average of each window of stride x stride (with ``anti_alias``, a blur in its place).

    Width is the growth: what a block adds to the channels that it is given. The inner width, between the 1x1 and the
    3x3, is width * expansion. Both products to the nearest (halves up), at least 1; the paper's leave nothing over.
    """

    ends_normed: ClassVar[bool] = False

    kind: Literal["dense"] = "dense"
    expansion: Positive = 4
    compression: Annotated[Fraction, Field(gt=0)] = 0.5

    def inner_channels(self, site: Site) -> int:
        return scaled(site.width, self.expansion)

    def layers(self, site: Site) -> Layer:
        in_channels, growth, stride = site
        self.attention.demand_place(self.kind, self.usual_place, "pre", "output", "post")
        channels = in_channels if stride == 1 else scaled(in_channels, self.compression)
        inner = self.inner_channels(site)
        branch = {
            "pre_attention": self.attend("pre", channels, site),
            **self.normed(1, channels, inner),
            **self.normed(2, inner, growth, self.kernel),
            "dropout": self.drop(),
            "attention": self.attend("output", growth, site),
        }
        return Chain(
            {
                "transition": IDENTITY if stride == 1 else self._transition(in_channels, channels, stride),
                "dense": Concat(Chain(branch)),
                "post_attention": self.attend("post", channels + growth, site),
            }
        )

    def _transition(self, in_channels: int, out_channels: int, stride: int) -> Layer:
        norm, activation, conv = self.normed("", in_channels, out_channels).values()
        pool = Blur(out_channels, stride) if self.anti_alias else AveragePool(stride)
        return Chain({"norm": norm, "activation": activation, "conv": conv, "pool": pool})
