"""One operation at random, of any strength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search.train.policies import POLICIES, PolicySpec, Space
from search.train.policies.rand_augment import NAMES

if TYPE_CHECKING:
    import torch

    from search.train.programme import Programme

BINS = 31
WIDE = Space(0.99, (32, 32), 135, 0.99, 6)
"""In pixels of the image, whatever its size: the paper's own are 32 wide."""


@POLICIES.register
class TrivialAugment(PolicySpec):
    """TrivialAugment, wide (Müller and Hutter, arXiv:2103.10158): nothing to tune."""

    kind: Literal["trivial_augment"] = "trivial_augment"

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Programme:
        import torch

        from search.train.programme import NUMBERS, Programme

        numbers = torch.tensor([NUMBERS[name] for name in NAMES])
        operations = numbers[torch.randint(len(NAMES), (1, count), generator=generator)]
        strengths = torch.randint(BINS, (1, count), generator=generator) / (BINS - 1)
        signs = torch.randint(2, (1, count), generator=generator) * 2 - 1
        return Programme(operations, WIDE.amounts(operations, strengths, signs))
