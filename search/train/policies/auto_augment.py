"""Policies that were found by search, on three data sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from search.train.policies import POLICIES, PolicySpec, narrow

if TYPE_CHECKING:
    import torch

    from search.train.programme import Programme

BINS = 10


@POLICIES.register
class AutoAugment(PolicySpec):
    """AutoAugment (Cubuk et al., arXiv:1805.09501): one of 25 pairs of operations, each with its own probability."""

    kind: Literal["auto_augment"] = "auto_augment"
    found_on: Literal["cifar10", "imagenet", "svhn"] = "cifar10"
    """The images that the policy was found on."""

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Programme:
        import torch

        from search.train.programme import NUMBERS, Programme

        numbers, probabilities, strengths = self._table()
        pairs = torch.randint(len(numbers), (count,), generator=generator)
        done = torch.rand((2, count), generator=generator) < probabilities[pairs].T
        signs = torch.randint(2, (2, count), generator=generator) * 2 - 1
        operations = torch.where(done, numbers[pairs].T, NUMBERS["identity"])
        return Programme(operations, narrow(size).amounts(operations, strengths[pairs].T, signs))

    def _table(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns numbers, probabilities and strengths of the pairs' operations, each 25 2: torchvision's table."""
        import torch
        from torchvision.transforms import AutoAugment as Published
        from torchvision.transforms import AutoAugmentPolicy

        from search.train.programme import NUMBERS

        pairs = Published(AutoAugmentPolicy(self.found_on)).policies
        rows = [[(NUMBERS[_our(name)], chance, bin or 0) for name, chance, bin in pair] for pair in pairs]
        table = torch.tensor(rows, dtype=torch.float32)  # 25 2 3
        return table[..., 0].long(), table[..., 1], table[..., 2] / (BINS - 1)


def _our(name: str) -> str:
    """Returns our name of an operation of torchvision's: ``AutoContrast`` is ``auto_contrast``."""
    return "saturation" if name == "Color" else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
