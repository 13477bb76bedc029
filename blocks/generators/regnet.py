"""RegNets: stages whose widths follow a quantised line. Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678"""

from __future__ import annotations

import math
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import Field

from blocks.base import Count, Number, Positive
from blocks.generators import GENERATORS, GeneratorSpec

QUANTUM = 8


@GENERATORS.register
class RegNetGeneratorSpec(GeneratorSpec):
    """u_j = w_0 + w_a j (equation 2); s_j from u_j = w_0 w_m^s_j (3); w_j = w_0 w_m^round(s_j) (4), to multiples of 8.

    Blocks of equal width are a stage. Its width is then made to fit its groups: the inner width, width divided by
    the bottleneck ratio, is brought to the nearest multiple of the group width, and a group is never wider than it.
    As in torchvision, halves go up, and so does what would lose more than a tenth of its width. The paper's own code
    takes the even one: its RegNetX-400MF ends in 384 channels and torchvision's in 400; and it always takes the
    nearest: its RegNetY-8.0GF begins with 168 channels and torchvision's with 224.

    Attributes:
        depth: The number of blocks.
        w_0: The line's start, in channels.
        w_a: The line's slope, in channels a block.
        w_m: The ratio of one stage's width to the one's before it.
        group_width: Channels a group of the 3x3 convolutions.
        bottleneck_ratio: The width of a block's output over its inner width; 1 by default, 1/4 with ``regnet_z``.
        stem_width: The channels of the stem.
        block: By default ``regnet_x``; ``regnet_y`` has squeeze-and-excitation, ``regnet_z`` inverted bottlenecks.
    """

    kind: Literal["regnet"] = "regnet"
    depth: Annotated[Count, Field(le=1000)]
    w_0: Annotated[Count, Field(ge=QUANTUM, le=100_000, multiple_of=QUANTUM)]
    w_a: Annotated[Number, Field(ge=0, le=10_000)]
    w_m: Annotated[Number, Field(gt=1)]
    group_width: Count
    bottleneck_ratio: Positive | None = None
    stem_width: Count = 32

    def network(self) -> dict[str, Any]:
        """Returns stem, stages and head."""
        stages = [
            self.stage(
                {"kind": "regnet_x", "group_width": group, "bottleneck_ratio": self._ratio},
                depth,
                width,
                stride=2,
            )
            for width, depth, group in self.stages()
        ]
        stem = {"kind": "conv3x3", "width": self.stem_width, "stride": 2}
        return {"stem": stem, "stages": stages, "head": {"kind": "linear"}}

    def stages(self) -> list[tuple[int, int, int]]:
        """Returns width, depth and group width of every stage."""
        fitted = [(*self._fitted(width), len(list(blocks))) for width, blocks in groupby(self._widths())]
        # Two widths of the line may become one by being made to fit; they are then one stage.
        return [
            (width, sum(depth for *_, depth in same), group)
            for (width, group), same in groupby(fitted, key=lambda stage: stage[:2])
        ]

    @property
    def _ratio(self) -> float:
        return self.bottleneck_ratio or (0.25 if self.block.get("kind") == "regnet_z" else 1)

    def _widths(self) -> list[int]:
        """Returns the quantised width of every block (equations 2 to 4)."""
        line = [self.w_0 + self.w_a * block for block in range(self.depth)]
        powers = [round(math.log(width / self.w_0) / math.log(self.w_m)) for width in line]
        return [round(self.w_0 * self.w_m**power / QUANTUM) * QUANTUM for power in powers]

    def _fitted(self, width: int) -> tuple[int, int]:
        """Returns a stage's width and group width, made to fit each other."""
        ratio = self._ratio
        inner = max(1, int(width / ratio))
        group = min(self.group_width, inner)
        # Inverted (a ratio of 1/4, say), the inner width is a multiple of 4 too, or the outer one would be no integer.
        step = math.lcm(group, round(1 / ratio)) if ratio < 1 else group
        nearest = max(1, math.floor(inner / step + 0.5)) * step
        fitted = nearest if nearest >= 0.9 * inner else nearest + step
        return int(fitted * ratio), group
