"""Densely connected networks. Huang et al. 2016, https://arxiv.org/abs/1608.06993"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from blocks.base import Count, Fraction, Positive
from blocks.generators import GENERATORS, UNNORMED, GeneratorSpec


@GENERATORS.register
class DenseNetGeneratorSpec(GeneratorSpec):
    """Stages of dense blocks, each of which adds ``growth`` channels, with a transition between stages (table 1).

    DenseNet-121, -169 and -201 have a growth of 32 and depths of 6, 12, 24, 16; 6, 12, 32, 32; and 6, 12, 48, 32.

    Attributes:
        growth: The channels that a block adds.
        depths: The blocks of every stage.
        compression: What share of the channels a transition keeps.
        expansion: The width of a block's 1x1 convolution, in growths.
        variant: The stem: 7x7 with max-pooling, or 3x3 for small images.
        stem_width: The channels of the stem; twice the growth by default.
    """

    kind: Literal["densenet"] = "densenet"
    growth: Count
    depths: Annotated[tuple[Count, ...], Field(min_length=1)]
    compression: Annotated[Fraction, Field(gt=0)] = 0.5
    expansion: Positive = 4
    variant: Literal["imagenet", "cifar"] = "imagenet"
    stem_width: Count | None = None

    def network(self) -> dict[str, Any]:
        """Returns stem, stages and head."""
        block = {"kind": "dense", "expansion": self.expansion, "compression": self.compression}
        stages = [
            self.stage(block, depth, self.growth, stride=2 if index else 1) for index, depth in enumerate(self.depths)
        ]
        kind = {"kind": "conv7x7"} if self.variant == "imagenet" else {"kind": "conv3x3", **UNNORMED}
        stem = {**kind, "width": self.stem_width or 2 * self.growth}
        return {"stem": stem, "stages": stages, "head": self.final()}
