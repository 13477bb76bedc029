"""From images as they are stored to what a network was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Preprocess(nn.Module):
    """Scales to 0..1, resizes to the input size (bilinear, antialiased), normalises by channel.

    Args:
        size: Height and width that come out.
        mean: Of each channel, in units of 0..1.
        std: Likewise.

    uint8 always means 0..255. Images on another scale must be brought to it first: scikit-learn's digits are 0..16,
    so give ``digits / 16`` as floats; as uint8 they would be taken for nearly black.

    It has no state of its own in a ``state_dict``, and moves with the network that it belongs to.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: tuple[int, int], mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor | NDArray[Any]) -> Tensor:  # N C H W, uint8 or float in 0..1 -> N C h w
        """Takes a tensor on the device of the network, or a numpy array, which is copied there.

        Raises:
            TypeError: If the images are neither.
            ValueError: If they have another number of dimensions or channels, another type of numbers, or floats that
                are not from 0 to 1.
        """
        if not isinstance(images, Tensor):
            images = _tensor(images).to(self.mean.device)
        channels = self.mean.shape[1]
        if images.ndim != 4 or images.shape[1] != channels:
            raise ValueError(f"expected images of N {channels} H W, not {tuple(images.shape)}")
        if 0 in images.shape[2:]:
            raise ValueError(f"images of {images.shape[2]}x{images.shape[3]} have no pixels")
        if images.dtype == torch.uint8:
            images = images.to(self.mean.dtype) / 255
        elif images.is_floating_point():
            images = images.to(self.mean.dtype)  # numpy's floats have 64 bits unless told otherwise
            if images.numel() and not bool(((images > -0.001) & (images < 1.001)).all()):  # NaN is neither
                low, high = images.min().item(), images.max().item()
                raise ValueError(
                    f"expected floats in 0..1, and these go from {low:.4g} to {high:.4g}: divide 0..255 by 255, and "
                    "clamp what resizing has put beyond the ends"
                )
        else:
            raise ValueError(f"expected uint8 in 0..255 or floats in 0..1, not {images.dtype}")
        if images.shape[-2:] != self.size:
            images = functional.interpolate(images, self.size, mode="bilinear", antialias=True)
        return (images - self.mean) / self.std


def _tensor(images: Any) -> Tensor:
    """Copies a numpy array, which may be read-only, strided backwards or of another byte order: torch takes none."""
    import numpy

    if not isinstance(images, numpy.ndarray):
        raise TypeError(f"expected a tensor or a numpy array of N C H W, not {type(images).__name__}")
    if images.dtype != numpy.uint8 and not numpy.issubdtype(images.dtype, numpy.floating):
        raise ValueError(f"expected uint8 in 0..255 or floats in 0..1, not {images.dtype}")
    return torch.from_numpy(images.astype(images.dtype.newbyteorder("="), order="C"))
