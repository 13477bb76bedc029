"""The plain block, a single convolution. Simonyan and Zisserman 2014 (VGG), https://arxiv.org/abs/1409.1556"""

from __future__ import annotations

from typing import Literal

from blocks.base import Flag
from blocks.block import ConvolutionalBlockSpec, Site, register_block
from blocks.errors import InfeasibleSpec
from blocks.layers import IDENTITY, Chain, Layer, MaxPool


@register_block
class PlainBlockSpec(ConvolutionalBlockSpec):
    """y = attention(activation(norm(3x3 (stride)(dropout(x))))); nothing is added to it.

    ``downsampling`` says what strides: the convolution, or a max-pooling of stride x stride in front of it, as in VGG.
    With ``bias``, the convolution has one even if a norm follows, as in torchvision's VGGs.

    Width is the inner width and the output's. Attention stands behind the activation (Hu et al. 2017, section 3.3).
    """

    kind: Literal["plain"] = "plain"
    downsampling: Literal["stride", "max_pool"] = "stride"
    bias: Flag = False

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        self.attention.demand_place(self.kind, self.usual_place, "pre", "output")
        pool: Layer = IDENTITY
        if self.downsampling == "max_pool" and stride > 1:
            if self.anti_alias:
                raise InfeasibleSpec("anti_alias blurs strided convolutions, and max-pooling stands in their place")
            pool, stride = MaxPool(stride, stride), 1
        return Chain(
            {
                "pool": pool,
                "pre_attention": self.attend("pre", in_channels, site),
                "dropout": self.drop(),
                **self.convolution("", in_channels, width, self.kernel, stride, bias=self.bias),
                "attention": self.attend("output", width, site),
            }
        )
