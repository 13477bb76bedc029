"""MixUp and CutMix: each image of a batch is mixed with another of it, and so are their targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from search.train.augmentations import Augment


@dataclass(frozen=True)
class Mixing:
    """How N images of an epoch are mixed; all on the CPU.

    Attributes:
        partners: int64, N: whom each is mixed with, by position in the epoch; always of its own batch.
        shares: float32, N: how much of each stays its own.
        cut: bool, N: whether by a rectangle.
        boxes: int64, 4 N: top, bottom, left and right of the rectangle, the second and fourth excluded.
    """

    partners: Tensor
    shares: Tensor
    cut: Tensor
    boxes: Tensor

    def mix(self, images: Tensor, labels: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the images ``start`` to ``stop`` mixed, their partners' labels, and their own shares.

        Args:
            images: float32, N C H W: whole batches.
            labels: int64, N.
        """
        device = images.device
        partners = (self.partners[start:stop] - start).to(device, non_blocking=True)
        shares, cut = (part[start:stop].to(device, non_blocking=True) for part in (self.shares, self.cut))
        inside = within(self.boxes[:, start:stop].to(device, non_blocking=True), images.shape[2], images.shape[3])
        own = torch.where(cut[:, None, None], (~inside).float(), shares[:, None, None]).unsqueeze(1)  # N 1 H W
        mixed = torch.lerp(images[partners], images, own).contiguous(memory_format=torch.channels_last)
        return mixed, labels[partners], shares


def draw(
    augment: Augment, count: int, batch: int, size: tuple[int, int], generators: dict[str, torch.Generator]
) -> Mixing | None:
    """Draws for ``count`` images in whole batches; None where nothing is mixed.

    In both papers' equations a pair has its own share, in both papers' code a batch has; here it is the pair.
    """
    if not (augment.mixup or augment.cutmix):
        return None
    order = torch.rand((count // batch, batch), generator=generators["partners"]).argsort(1)
    partners = (order + torch.arange(count // batch)[:, None] * batch).flatten()
    chance = torch.rand(count // batch, generator=generators["which"])
    cut = chance < 0.5 if augment.mixup and augment.cutmix else chance < (1.0 if augment.cutmix else 0.0)
    cut = cut.repeat_interleave(batch)
    blend = _beta(augment.mixup or 1.0, count, generators["mixup"])
    area = 1 - _beta(augment.cutmix or 1.0, count, generators["cutmix"])
    boxes = _boxes(area.sqrt(), area.sqrt(), size, torch.rand((2, count), generator=generators["box"]))
    top, bottom, left, right = boxes
    kept = 1 - ((bottom - top) * (right - left)) / (size[0] * size[1])
    return Mixing(partners, torch.where(cut, kept, blend), cut, boxes)


def within(boxes: Tensor, height: int, width: int) -> Tensor:
    """Returns which pixels lie in boxes of top, bottom, left and right, 4 N: bool, N H W."""
    rows, columns = torch.arange(height, device=boxes.device), torch.arange(width, device=boxes.device)
    top, bottom, left, right = boxes.unsqueeze(2)
    tall: Tensor = (rows >= top) & (rows < bottom)
    wide: Tensor = (columns >= left) & (columns < right)
    return torch.logical_and(tall[:, :, None], wide[:, None, :])


def _boxes(tall: Tensor, wide: Tensor, size: tuple[int, int], middles: Tensor) -> Tensor:
    """Returns boxes about middles anywhere in the image, cut off at its edges; sizes as shares of the image: 4 N."""
    edges = []
    for share, length, middle in ((tall, size[0], middles[0]), (wide, size[1], middles[1])):
        half, place = (share * length).long() // 2, (middle * length).long()
        edges += [(place - half).clamp(0, length), (place + half).clamp(0, length)]
    return torch.stack(edges)


def _beta(alpha: float, count: int, generator: torch.Generator) -> Tensor:
    """Draws from Beta(alpha, alpha); torch's own takes no generator."""
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, count).astype(np.float32))
