"""The RepVGG block. Ding et al. 2021, figure 2, https://arxiv.org/abs/2101.03697"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from blocks.base import Count, Flag, Kernel
from blocks.block import BlockSpec, Site, register_block
from blocks.layers import IDENTITY, Chain, Conv, Layer, Sum
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.none import NoAttentionSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.norm.none import NoNormSpec

USUAL_PLACE = "output"


@register_block
class RepVGGBlockSpec(BlockSpec):
    """y = activation(attention(norm(3x3 (stride)(x)) + norm(1x1 (stride)(x)) + norm(x))), the last where shapes match;
    folded: y = activation(attention(3x3 (stride)(x))), the same function after training.

    Width is the inner width and the output's.

    Attributes:
        groups: Of both convolutions.
        folded: Whether the sum is a single convolution with bias, as `blocks.folding.fold` makes it of a trained
            network. Its norms are in its weights: ``norm`` is ``none`` then.
    """

    kind: Literal["repvgg"] = "repvgg"

    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    attention: Annotated[AttentionSpec, ATTENTIONS] = NoAttentionSpec()
    kernel: Kernel = 3
    groups: Count = 1
    folded: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _folded_has_no_norm(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("folded") is True and "norm" not in given:
            return {**given, "norm": NoNormSpec()}
        return given

    @model_validator(mode="after")
    def _norm_is_in_the_weights(self) -> Self:
        if self.folded and not isinstance(self.norm, NoNormSpec):
            raise ValueError(f"a folded block has its norm in its weights: norm is none then, not {self.norm.kind}")
        return self

    def layers(self, site: Site) -> Layer:
        in_channels, width, stride = site
        self.attention.demand_place(self.kind, USUAL_PLACE, "pre", "output", "post")
        if self.folded:
            summed: dict[str, Layer] = {"conv": Conv(in_channels, width, self.kernel, stride, self.groups, bias=True)}
        else:
            branches = {"spatial": self._normed(site, self.kernel), "pointwise": self._normed(site, 1)}
            if in_channels == width and stride == 1:
                branches["identity"] = self.norm.layer(width)
            summed = {"sum": Sum(branches)}
        return Chain(
            {
                "pre_attention": self.attention.at("pre", USUAL_PLACE, in_channels, in_channels),
                **summed,
                "attention": self.attention.at("output", USUAL_PLACE, width, in_channels),
                "activation": self.activation.layer(),
                "post_attention": self.attention.at("post", USUAL_PLACE, width, in_channels),
            }
        )

    def _normed(self, site: Site, kernel: int) -> Layer:
        norm = self.norm.layer(site.width)
        conv = Conv(site.in_channels, site.width, kernel, site.stride, self.groups, bias=norm is IDENTITY)
        return Chain({"conv": conv, "norm": norm})
