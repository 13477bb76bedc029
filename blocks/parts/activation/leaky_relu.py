"""Leaky rectified linear unit. Maas et al. 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Number
from blocks.layers import Elementwise, Layer
from blocks.parts.activation import ACTIVATIONS, ActivationSpec


@ACTIVATIONS.register
class LeakyReLUSpec(ActivationSpec):
    """y = x where x > 0, slope * x elsewhere"""

    kind: Literal["leaky_relu"] = "leaky_relu"
    slope: Annotated[Number, Field(gt=0, lt=1)] = 0.01

    def layer(self) -> Layer:
        return Elementwise("LeakyReLU", self.slope)
