"""Brightness, contrast, saturation and hue of each image, by chance."""

from __future__ import annotations

import torch

from search.train.augmentations import ColorJitter
from search.train.programme import NUMBERS, Programme

NAMES = ("brightness", "contrast", "saturation", "hue")


def draw(jitter: ColorJitter, count: int, generator: torch.Generator) -> Programme | None:
    """Draws for ``count`` images; None where nothing is switched on.

    The same values are taken from the generator whatever is switched on.
    """
    if not any(getattr(jitter, name) for name in NAMES):
        return None
    order = torch.rand((len(NAMES), count), generator=generator).argsort(0)
    amounts = torch.rand((len(NAMES), count), generator=generator)
    numbers = torch.tensor([NUMBERS[name] for name in NAMES])
    for row, name in enumerate(NAMES):
        furthest = getattr(jitter, name)
        low, high = (-furthest, furthest) if name == "hue" else (max(0.0, 1 - furthest), 1 + furthest)
        amounts[row] = low + (high - low) * amounts[row]
        if not furthest:
            numbers[row] = NUMBERS["identity"]
    return Programme(numbers[order], amounts.gather(0, order))
