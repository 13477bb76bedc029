"""Random crops and flips: drawn for each image, done to a whole batch at once, wherever the batch is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from search.train.augmentations import Augment


@dataclass(frozen=True)
class Draws:
    """What happens to each of N images.

    Attributes:
        down, right: int64, N: where the window begins, in pixels of the bordered image.
        mirrored: bool, N.
    """

    down: Tensor
    right: Tensor
    mirrored: Tensor

    def part(self, start: int, stop: int, device: torch.device) -> Draws:
        """Returns the draws of some of the images, on a device."""
        down, right, mirrored = (
            each[start:stop].to(device, non_blocking=True) for each in (self.down, self.right, self.mirrored)
        )
        return Draws(down, right, mirrored)


def draw(augment: Augment, count: int, generator: torch.Generator) -> Draws:
    """Draws for ``count`` images.

    The same values are taken from the generator whatever is switched on, so that arms which differ in one
    augmentation still share the draws of the others.
    """
    down, right = torch.rand((2, count), generator=generator).mul_(2 * augment.crop + 1).long()
    mirrored = torch.rand(count, generator=generator) < 0.5
    return Draws(down, right, mirrored & bool(augment.flip))


def apply(augment: Augment, images: Tensor, draws: Draws) -> Tensor:
    """Returns the images cropped and flipped as drawn.

    One gather does both: for each pixel of the result it looks up where in the bordered image it comes from. On a
    CPU this took 4 microseconds an image of 3x32x32, against 7 for indexing windows and 15 for indexing pixels.

    Args:
        augment: What is switched on.
        images: Any type, N C H W; the border takes the value 0.
        draws: N of them, on the device of the images.
    """
    if not (augment.crop or augment.flip):
        return images
    count, channels, height, width = images.shape
    bordered = torch.nn.functional.pad(images, (augment.crop,) * 4)
    rows = draws.down[:, None] + torch.arange(height, device=images.device)  # N H
    columns = torch.arange(width, device=images.device).expand(count, width)
    columns = torch.where(draws.mirrored[:, None], width - 1 - columns, columns) + draws.right[:, None]  # N W
    origin = rows[:, :, None] * bordered.shape[3] + columns[:, None, :]  # N H W
    origin = origin.view(count, 1, height * width).expand(-1, channels, -1)
    return bordered.flatten(2).gather(2, origin).view_as(images)
