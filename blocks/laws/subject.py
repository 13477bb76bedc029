"""What the laws are held against: a small network of one kind of block."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blocks.block import BlockSpec
from blocks.cost import Shape
from blocks.errors import InfeasibleSpec
from blocks.layers import Layer
from blocks.spec import NetworkSpec
from blocks.walk import trace

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 5


class LawBroken(ValueError):
    """A block breaks a law; the message says which, and how."""


class Subject(NamedTuple):
    """A network of a block, and what it is given.

    Attributes:
        network: Two stages of two blocks, the second of stride 2; or one stage that changes neither channels nor size,
            where the block can't do more.
        shape: C H W of an image.
        refusal: Why it can't do more; empty if it can.
    """

    network: NetworkSpec
    shape: Shape
    refusal: str = ""

    def images(self, count: int = 2) -> Tensor:  # N C H W
        """Returns images of noise, the same each time."""
        import torch

        return torch.randn(count, *self.shape, generator=torch.Generator().manual_seed(1))

    def layers_and_inputs(self) -> list[tuple[str, Layer, Shape]]:
        """Returns the blocks that differ: name, record, and C H W of what they are given."""
        parts = trace(self.network, self.shape)
        return [(part.names()[0], part.layer, part.given) for part in parts if part.first is not None]


def subject(block: BlockSpec, shape: Shape, width: int) -> Subject:
    """Returns the network that a block is judged in.

    Raises:
        LawBroken: If no network can be made of such blocks, or of images of this shape.
    """
    refusals = []
    for strides, stem in (((1, 2), width), ((1,), width), ((1,), 2 * width), ((1,), 4 * width)):
        spec = NetworkSpec.model_validate(
            {
                "in_channels": shape[0],
                "stem": {"kind": "conv3x3", "width": stem},
                "stages": [
                    {"block": block.plain(), "depth": 2, "width": width, "stride": stride} for stride in strides
                ],
                "head": {"kind": "linear", "num_classes": CLASSES},
            }
        )
        try:
            spec.cost(shape)
            _ = spec.structure  # asked for whenever it is built, and of a larger image
        except InfeasibleSpec as error:
            refusals.append(str(error))
        else:
            return Subject(spec, shape, refusals[0] if refusals else "")
    raise LawBroken(f"no network can be made of it: {refusals[0]}")
