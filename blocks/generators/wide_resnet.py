"""Wide residual networks. Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146"""

from __future__ import annotations

from typing import Any, Literal

from blocks.base import Count, Positive, Rate
from blocks.generators import GENERATORS, UNNORMED, GeneratorSpec

WIDTHS = (16, 32, 64)


@GENERATORS.register
class WideResNetGeneratorSpec(GeneratorSpec):
    """WRN-depth-k (table 1): three equal stages of widths 16k, 32k, 64k behind a stem of 16, depth = 6n + 4.

    Attributes:
        depth: The number of convolutions, projections included.
        k: The widening factor.
        dropout: The rate between the two convolutions of a block.
    """

    kind: Literal["wide_resnet"] = "wide_resnet"
    depth: Count
    k: Positive = 1
    dropout: Rate = 0

    def network(self) -> dict[str, Any]:
        """Returns stem, stages and head. Raises ``ValueError`` if there is no network of so many layers."""
        blocks, rest = divmod(self.depth - 4, 6)
        if rest or blocks < 1:
            near = "10" if blocks < 1 else f"{self.depth - rest} or {self.depth - rest + 6}"
            raise ValueError(f"no wide_resnet has {self.depth} layers: it has 6n + 4, such as {near}")
        block = {"kind": "wide", "widen": self.k, "dropout": self.dropout}
        stages = [self.stage(block, blocks, width, stride=2 if index else 1) for index, width in enumerate(WIDTHS)]
        return {"stem": {"kind": "conv3x3", "width": WIDTHS[0], **UNNORMED}, "stages": stages, "head": self.final()}
