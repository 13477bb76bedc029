"""The transformer's encoder block on maps. Dosovitskiy et al. 2020 (ViT), equations 2 and 3, https://arxiv.org/abs/2010.11929"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from blocks.base import Count
from blocks.block import Site, register_block
from blocks.errors import InfeasibleSpec
from blocks.layers import IDENTITY, AttentionProduct, Chain, Conv, Layer, Sum, dropout
from blocks.layers.position import SinePosition
from blocks.metaformer import MetaFormerBlockSpec

USUAL_HEADS = 4


@register_block
class TransformerBlockSpec(MetaFormerBlockSpec):
    """z = b + scale * attention(norm(b)),  y = z + scale * f(norm(z)),
    attention = 1x1 to queries, keys and values, softmax(q k^T / sqrt(channels a head)) v, 1x1, dropout;
    f = 1x1, activation, dropout, 1x1, dropout;  b = x, or a norm and a strided convolution of x where channels or size
    change (the merging of patches).

    All positions of a map attend to one another: for the later stages of networks that begin with convolutions.

    Width is the output's; f's inner channels are width * expansion, to the nearest (halves up), at least 1.

    Attributes:
        heads: How many there are; they divide the width. Without ``heads`` and ``head_width``, 4.
        head_width: The channels of each head, in place of ``heads``.
        position: How a block knows where a position is. ``none``: not at all. ``conditional``: b becomes b + a
            depthwise 3x3 of b (Chu et al. 2021, https://arxiv.org/abs/2102.10882). ``sine``: behind attention's norm,
            sines and cosines of the row are added to half of the channels and of the column to the others, which needs
            a multiple of 4 (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762). Both are for maps of any size.
    """

    kind: Literal["transformer"] = "transformer"

    heads: Count | None = None
    head_width: Count | None = None
    position: Literal["none", "conditional", "sine"] = "none"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.heads is not None and self.head_width is not None:
            raise ValueError("give heads or head_width, not both")
        return self

    def layers(self, site: Site) -> Layer:
        width, before = site.width, self.arrival(site)
        if self.position == "conditional":
            conv = Conv(width, width, 3, groups=width, bias=True)
            before["position"] = Sum({"identity": IDENTITY, "conv": conv})
        attention = {
            "norm": self.norm.layer(width),
            "position": SinePosition(width) if self.position == "sine" else IDENTITY,
            "qkv": Conv(width, 3 * width, bias=True),
            "product": AttentionProduct(width, self._heads(width)),
            "project": self.project(width, width),
            "dropout": dropout(self.dropout),
        }
        expand = self.expand(site)
        project = self.project(self.inner_channels(site), width)
        mlp = {"norm": self.norm.layer(width), **expand, "project": project, "last_dropout": dropout(self.dropout)}
        return Chain({"attention": self.residual(attention, width, before), "mlp": self.residual(mlp, width, {})})

    def _heads(self, width: int) -> int:
        if self.head_width is None:
            return self.heads or USUAL_HEADS
        if width % self.head_width:
            raise InfeasibleSpec(f"heads of {self.head_width} channels don't divide {width} channels")
        return width // self.head_width
