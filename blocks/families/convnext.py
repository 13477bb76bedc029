"""The ConvNeXt block. Liu et al. 2022, figure 4, https://arxiv.org/abs/2201.03545"""

from __future__ import annotations

from typing import Annotated, Literal

from blocks.base import Kernel, Positive
from blocks.block import Site, register_block
from blocks.layers import Conv, Layer
from blocks.metaformer import MetaFormerBlockSpec
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.none import NoAttentionSpec


@register_block
class ConvNeXtBlockSpec(MetaFormerBlockSpec):
    """y = b + scale * f(b),  f = depthwise 7x7, norm, 1x1, activation, dropout, 1x1, attention;
    b = x, or a norm and a strided convolution of x where channels or size change.

    Width is the output's; the inner channels, between the two 1x1 convolutions, are width * expansion, to the nearest
    (halves up), at least 1. All convolutions have a bias.
    """

    kind: Literal["convnext"] = "convnext"

    kernel: Kernel = 7
    attention: Annotated[AttentionSpec, ATTENTIONS] = NoAttentionSpec()
    layer_scale: Positive | None = 1e-6

    def layers(self, site: Site) -> Layer:
        width = site.width
        branch = {
            "pre_attention": self._attend("pre", site),
            "depthwise": Conv(width, width, self.kernel, groups=width, bias=True),
            "inner_attention": self._attend("inner", site),
            "norm": self.norm.layer(width),
            **self.expand(site),
            "project": self.project(self.inner_channels(site), width),
            "attention": self._attend("output", site),
        }
        block = self.residual(branch, width, before=self.arrival(site))
        return block._replace(shortcut=self._attend("identity", site), activation=self._attend("post", site))

    def _attend(self, place: str, site: Site) -> Layer:
        return self.attention.at(place, "output", site.width, site.in_channels)
