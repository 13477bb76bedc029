"""What the blocks of ConvNeXt and of transformers share: each branch norms first, and only sums are on the stream."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from blocks.arithmetic import scaled
from blocks.base import Flag, Positive, Rate
from blocks.block import BlockSpec, Site
from blocks.layers import IDENTITY, Chain, Conv, Layer, LayerScale, Residual, dropout
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.gelu import GELUSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.layer import LayerNormSpec


class MetaFormerBlockSpec(BlockSpec):
    """The fields that such families share (Yu et al. 2021, https://arxiv.org/abs/2111.11418).

    Where a block is given another number of channels, or has a stride of s, a norm and a convolution of s x s with
    stride s stand in front of it, so that its shortcut is the identity. If s is even, rows and columns that are left
    over are dropped.

    Attributes:
        norm: Of each branch's input, and in front of the strided convolution.
        activation: Between the two 1x1 convolutions.
        expansion: Inner channels over width, to the nearest (halves up), at least 1.
        layer_scale: The initial value of a learned scale a channel, which ends each branch (Touvron et al. 2021,
            https://arxiv.org/abs/2103.17239); without a value there is no scale.
        zero_init_residual: Whether the last convolution of each branch starts at 0, and the block as the identity.
        shortcut_precision: With ``float32`` the sums are of float32 under autocast too.
    """

    ends_normed: ClassVar[bool] = False

    norm: Annotated[NormSpec, NORMS] = LayerNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = GELUSpec()
    expansion: Positive = 4
    dropout: Rate = 0
    layer_scale: Positive | None = None
    zero_init_residual: Flag = False
    shortcut_precision: Literal["same", "float32"] = "same"

    def inner_channels(self, site: Site) -> int:
        return scaled(site.width, self.expansion)

    def arrival(self, site: Site) -> dict[str, Layer]:
        """Returns the norm and convolution that bring a map to this block's channels and size, if it needs them."""
        in_channels, width, stride = site
        if in_channels == width and stride == 1:
            return {}
        return {"norm": self.norm.layer(in_channels), "conv": Conv(in_channels, width, stride, stride, bias=True)}

    def expand(self, site: Site) -> dict[str, Layer]:
        """Returns the 1x1 convolution to the inner channels, activation and dropout."""
        expand = Conv(site.width, self.inner_channels(site), bias=True)
        return {"expand": expand, "activation": self.activation.layer(), "dropout": dropout(self.dropout)}

    def project(self, in_channels: int, width: int) -> Layer:
        """Returns the last 1x1 convolution of a branch."""
        return Conv(in_channels, width, bias=True, zero=self.zero_init_residual)

    def residual(self, branch: dict[str, Layer], width: int, before: dict[str, Layer]) -> Residual:
        """Returns b + scale * branch(b) with b = before(x)."""
        scale = IDENTITY if self.layer_scale is None else LayerScale(width, self.layer_scale)
        first = Chain(before) if before else IDENTITY
        precise = self.shortcut_precision == "float32"
        return Residual(Chain({**branch, "scale": scale}), IDENTITY, IDENTITY, first, shared=True, precise=precise)
