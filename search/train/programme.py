"""For each image, which operations are done to it, in which order, by how much."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from search.train.pixels import OPERATIONS

NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}


@dataclass(frozen=True)
class Programme:
    """Operations of N images.

    Attributes:
        operations: int64, S N: the number of each image's first, second, ... operation. On the CPU, where images are
            sorted by what is done to them without waiting for a device.
        amounts: float32, S N.
    """

    operations: Tensor
    amounts: Tensor

    def run(self, images: Tensor, start: int, stop: int) -> Tensor:
        """Returns the images ``start`` to ``stop``, uint8, with all of their operations done."""
        for operations, amounts in zip(self.operations[:, start:stop], self.amounts[:, start:stop], strict=True):
            changed = images.clone()
            for number, operation in enumerate(OPERATIONS.values()):
                rows = (operations == number).nonzero().squeeze(1)
                if number != NUMBERS["identity"] and len(rows):
                    there = rows.to(images.device, non_blocking=True)
                    by = amounts[rows].to(images.device, non_blocking=True)
                    changed.index_copy_(0, there, operation(images.index_select(0, there), by))
            images = changed
        return images
