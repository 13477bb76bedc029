"""Images on the device where the trial runs, handed out in order: no loader, no copy of what is shared."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from search.data.files import Files
from search.data.images import Images, Splits
from search.train.augmentation import Augmentation
from search.train.batch import Batch
from search.train.recipe import TrainSpec
from search.train.stream import Stream

CHUNK_BYTES = {"cpu": 16 * 2**20, "cuda": 256 * 2**20}
"""How much is made ready at once, as floats: enough for the cost of starting each operation to vanish, and on a CPU
little enough for caches."""


@dataclass(frozen=True)
class Feed:
    """A split on a device.

    Attributes:
        pixels: uint8, N C H W. On a CPU it is the very memory of the data set. What memory doesn't hold is a stream.
        labels: int64, N.
        mean, std: float32, 1 C 1 1, in the units of ``pixels``.
    """

    pixels: Tensor | Stream
    labels: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, images: Images, splits: Splits, device: torch.device) -> Feed:
        """Takes a split to a device, to be normalised by the statistics of ``splits``."""
        mean, std = (
            torch.tensor(values, dtype=torch.float32, device=device).mul_(255).view(1, -1, 1, 1)
            for values in (splits.mean, splits.std)
        )
        held = not isinstance(images.pixels, Files)
        pixels = shared_tensor(images.pixels).to(device) if held else Stream.of(images.pixels, device)
        return cls(pixels, shared_tensor(images.labels).to(device), mean, std)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.pixels.device

    @property
    def shape(self) -> tuple[int, int, int]:
        """C H W of an image."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    def normalised(self, pixels: Tensor) -> Tensor:
        """Returns float32 pixels of mean 0 and deviation 1, N C H W with the channels innermost in memory, the layout
        in which convolutions are fastest (ResNet-20 on a CPU: 1.35 times)."""
        return pixels.float().sub_(self.mean).div_(self.std).contiguous(memory_format=torch.channels_last)

    def chunk_size(self) -> int:
        """Returns how many images to make ready at once."""
        channels, height, width = self.shape
        return max(1, CHUNK_BYTES[self.device.type] // (4 * channels * height * width))

    def pieces(self, positions: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the pixels at each list of positions."""
        if isinstance(self.pixels, Tensor):
            yield from (self.pixels[each] for each in positions)
        else:
            yield from self.pixels.pieces(positions)


def training_batches(
    feed: Feed, recipe: TrainSpec, order: torch.Generator, augmentation: Augmentation
) -> Iterator[list[Batch]]:
    """Yields an epoch's batches, several at a time: shuffled, augmented, normalised; all of one size.

    Args:
        feed: The training split.
        recipe: For batch size and augmentation.
        order: Gives the order; each epoch takes its turn.
        augmentation: Changes the images, likewise.
    """
    device = feed.device
    batch = min(recipe.batch_size, len(feed.labels))
    count = len(feed.labels) // batch * batch
    order_of_images = torch.randperm(len(feed.labels), generator=order)[:count]
    draws = augmentation.epoch(order_of_images, batch)
    positions = order_of_images.to(device)
    chunk = max(1, feed.chunk_size() // batch) * batch
    chosen = torch.split(positions, chunk)
    for index, pixels in enumerate(feed.pieces(chosen)):
        start, stop = index * chunk, min((index + 1) * chunk, count)
        made = draws.batch(pixels, feed.labels[chosen[index]], feed.normalised, start, stop)
        yield list(made.split(batch))


def evaluation_batches(feed: Feed, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields all images in their order, normalised; the last batch is as large as what is left."""
    if isinstance(feed.pixels, Tensor):
        parts: Iterable[Tensor] = torch.split(feed.pixels, batch)
    else:
        parts = feed.pieces(torch.split(torch.arange(len(feed.labels)), batch))
    for pixels, labels in zip(parts, torch.split(feed.labels, batch), strict=True):
        yield feed.normalised(pixels), labels


def shared_tensor(array: NDArray[Any]) -> Tensor:
    """Returns a tensor on the array's own memory, which may be read-only (as arrays from Ray's object store are)."""
    with warnings.catch_warnings():
        # torch has no read-only tensors, and warns that writing would be undefined; nothing writes to a feed
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array)
