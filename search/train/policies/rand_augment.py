"""Operations at random, all equally strong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Count, Number
from search.train.policies import POLICIES, PolicySpec, narrow

if TYPE_CHECKING:
    import torch

    from search.train.programme import Programme

NAMES = (
    "identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness", "saturation", "contrast",
    "sharpness", "posterize", "solarize", "auto_contrast", "equalize",
)  # fmt: skip


@POLICIES.register
class RandAugment(PolicySpec):
    """RandAugment (Cubuk et al., arXiv:1909.13719), with the ranges that torchvision gives its operations."""

    kind: Literal["rand_augment"] = "rand_augment"
    operations: Count = 2
    """How many an image meets, one after the other."""
    magnitude: Annotated[Number, Field(ge=0, le=30)] = 9.0
    """How strong they are, from 0 to 30."""

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Programme:
        import torch

        from search.train.programme import NUMBERS, Programme

        numbers = torch.tensor([NUMBERS[name] for name in NAMES])
        shape = (self.operations, count)
        operations = numbers[torch.randint(len(NAMES), shape, generator=generator)]
        signs = torch.randint(2, shape, generator=generator) * 2 - 1
        strengths = torch.full(shape, self.magnitude / 30)
        return Programme(operations, narrow(size).amounts(operations, strengths, signs))
