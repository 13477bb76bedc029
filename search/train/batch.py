"""The images of a step, and what the network is to say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images of a step, on the device.

    Attributes:
        images: float32, B C H W, normalised.
        labels: int64, B.
        others: int64, B, where images were mixed (MixUp, CutMix): the label of each image's partner; else None.
        shares: float32, B, likewise: how much of each image is its own, from 0 to 1.
    """

    images: Tensor
    labels: Tensor
    others: Tensor | None = None
    shares: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, size: int) -> Iterator[Batch]:
        """Yields batches of ``size`` images, the last of what is left."""
        images, labels = torch.split(self.images, size), torch.split(self.labels, size)
        if self.others is None or self.shares is None:
            yield from (Batch(*part) for part in zip(images, labels, strict=True))
        else:
            others, shares = torch.split(self.others, size), torch.split(self.shares, size)
            yield from (Batch(*part) for part in zip(images, labels, others, shares, strict=True))
