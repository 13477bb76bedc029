"""From images as they are stored to what a network was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Preprocess(nn.Module):
    """Scales to 0..1, resizes to the input size (bilinear, antialiased), normalises by channel.

    Args:
        size: Height and width that come out.
        mean: Of each channel, in units of 0..1.
        std: Likewise.

    It has no state of its own in a ``state_dict``, and moves with the network that it belongs to.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: tuple[int, int], mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:  # N C H W, uint8 or float in 0..1 -> N C h w
        """Raises ``ValueError`` for another number of dimensions or channels, or another type of numbers."""
        channels = self.mean.shape[1]
        if images.ndim != 4 or images.shape[1] != channels:
            raise ValueError(f"expected images of N {channels} H W, not {tuple(images.shape)}")
        if images.dtype == torch.uint8:
            images = images.to(self.mean.dtype) / 255
        elif not images.is_floating_point():
            raise ValueError(f"expected uint8 in 0..255 or floats in 0..1, not {images.dtype}")
        if images.shape[-2:] != self.size:
            images = functional.interpolate(images, self.size, mode="bilinear", antialias=True)
        return (images - self.mean) / self.std
