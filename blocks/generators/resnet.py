"""Residual networks by their number of layers. He et al. 2015, https://arxiv.org/abs/1512.03385"""

from __future__ import annotations

from typing import Any, Literal

from blocks.base import Count
from blocks.generators import GENERATORS, UNNORMED, GeneratorSpec

LAYERS = {
    "basic": 2,
    "preactivation_basic": 2,
    "bottleneck": 3,
    "preactivation_bottleneck": 3,
    "resnext": 3,
}
"""How many layers of the main path a block has, by its kind."""

PUBLISHED = {8: (2, 2, 2, 2), 33: (3, 4, 23, 3), 50: (3, 8, 36, 3), 66: (3, 24, 36, 3)}
"""How many blocks the stages have, by their sum: ResNet-18 and -26, -101, -152, and -200 (arXiv:1603.05027)."""

SHARES = (3, 4, 6, 3)
"""How other sums are shared out: the stages of ResNet-34 and -50."""


@GENERATORS.register
class ResNetGeneratorSpec(GeneratorSpec):
    """depth = 2 + layers a block * blocks: a convolution, the blocks, a linear layer; projections aren't counted.

    ``imagenet``: four stages (table 1). Sums of blocks that were published are shared out among the stages as they
    were; others in the proportions 3:4:6:3 of ResNet-34 and -50, rounded by largest remainder, at least 1 a stage.
    ``cifar``: three equal stages (section 4.2): 6n + 2 layers of basic blocks, 9n + 2 of bottlenecks.

    Attributes:
        depth: The number of layers.
        variant: Which of the paper's two plans.
        width: Of the stem and the first stage; each further stage has twice the width. By default 64, or 16 on cifar.
        block: By default ``basic``; ``bottleneck`` on imagenet from 50 layers on, as in the paper.
    """

    kind: Literal["resnet"] = "resnet"
    depth: Count
    variant: Literal["imagenet", "cifar"] = "imagenet"
    width: Count | None = None

    def network(self) -> dict[str, Any]:
        """Returns stem, stages and head. Raises ``ValueError`` if there is no network of so many layers."""
        imagenet = self.variant == "imagenet"
        block = "bottleneck" if imagenet and self.depth >= 50 else "basic"
        width = self.width or (64 if imagenet else 16)
        depths = self._depths(self.block.get("kind", block))
        stages = [
            self.stage({"kind": block}, depth, width * 2**index, stride=2 if index else 1)
            for index, depth in enumerate(depths)
        ]
        stem = {"kind": "conv7x7" if imagenet else "conv3x3", "width": width}
        if not self.block.get("kind", block).startswith("preactivation"):
            return {"stem": stem, "stages": stages, "head": {"kind": "linear"}}
        return {"stem": {**stem, **UNNORMED}, "stages": stages, "head": self.final()}

    def _depths(self, block: str) -> tuple[int, ...]:
        if block not in LAYERS:
            raise ValueError(
                f"how many layers a block '{block}' has is known of {', '.join(LAYERS)} only; write its stages out"
            )
        equal = self.variant == "cifar"
        step = LAYERS[block] * (3 if equal else 1)
        fewest = 2 + LAYERS[block] * (3 if equal else 4)
        below = self.depth - (self.depth - 2) % step
        if below != self.depth or self.depth < fewest:
            near = f"{fewest}" if self.depth < fewest else f"{below} or {below + step}"
            raise ValueError(
                f"no {self.variant} resnet of {block} blocks has {self.depth} layers: "
                f"it has 2 + a multiple of {step}, at least {fewest}, such as {near}"
            )
        blocks = (self.depth - 2) // LAYERS[block]
        return (blocks // 3,) * 3 if equal else PUBLISHED.get(blocks) or shared_out(blocks, SHARES)


def shared_out(total: int, shares: tuple[int, ...]) -> tuple[int, ...]:
    """Returns whole numbers in given proportions, by largest remainder, at least 1 each, with a given sum."""
    whole = [max(1, total * share // sum(shares)) for share in shares]
    lacks = [total * share / sum(shares) - number for share, number in zip(shares, whole, strict=True)]
    for index in sorted(range(len(shares)), key=lambda index: -lacks[index])[: total - sum(whole)]:
        whole[index] += 1
    return tuple(whole)
