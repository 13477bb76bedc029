"""Patches without overlap. Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; Liu et al. 2022 (ConvNeXt)"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from blocks.base import Count
from blocks.layers import Chain, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.none import NoActivationSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.layer import LayerNormSpec
from blocks.parts.stem import STEMS, ConvolutionalStemSpec


def _even(patch: int) -> int:
    if patch % 2 and patch != 1:
        raise ValueError(f"a patch is of even size (2, 4, 16), or 1; {patch} is odd")
    return patch


@STEMS.register
class PatchifyStemSpec(ConvolutionalStemSpec):
    """A convolution whose kernel and stride are the patch, norm; by default as in ConvNeXt, but for its bias.

    ConvNeXt (https://arxiv.org/abs/2201.03545) has a bias there, which the norm doesn't take away: it is over the
    channels of each position, not of each channel.
    """

    kind: Literal["patchify"] = "patchify"
    width: Count = 96
    patch: Annotated[Count, AfterValidator(_even)] = 4
    norm: Annotated[NormSpec, NORMS] = LayerNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = NoActivationSpec()

    @property
    def reduction(self) -> int:
        return self.patch

    def layers(self, in_channels: int) -> Layer:
        return Chain(self.convolution("", in_channels, self.width, self.patch, self.patch))
