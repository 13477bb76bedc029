"""Images in memory: what a data set loads, and the splits that every trial shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.data.files import Files


@dataclass(frozen=True)
class Facts:
    """What planning knows of a data set without opening an image.

    Attributes:
        channels: Colour channels: 1 or 3 for photographs.
        image_size: Height and width of every image in pixels, after resizing.
        classes: Their names; a label is a position in this tuple.
        images: How many there are to cut splits from: all, or those outside an official test split.
        official_validation: Whether the data bring their validation split, so that none is cut.
    """

    channels: int
    image_size: int
    classes: tuple[str, ...]
    images: int
    official_validation: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image: channels, height, width."""
        return (self.channels, self.image_size, self.image_size)


@dataclass(frozen=True)
class Images:
    """Images and their labels, in one order.

    Attributes:
        pixels: uint8, N C H W; or `search.data.files.Files`, which read like them, where memory doesn't hold them.
        labels: int64, N; positions in the data set's ``classes``.
    """

    pixels: Any
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> Images:
        """Returns a copy of the images at these positions."""
        pixels = self.pixels.subset(indices) if isinstance(self.pixels, Files) else self.pixels[indices]
        return Images(pixels, self.labels[indices])


@dataclass(frozen=True)
class Source:
    """What a data set brings along: its images, and its official splits where it has them.

    Attributes:
        train: The training images, from which missing splits are cut.
        validation: The official validation split, or the share of ``train`` that becomes it.
        test: The official test split, or the share of ``train`` that becomes it.
    """

    train: Images
    validation: Images | float
    test: Images | float


@dataclass(frozen=True)
class Splits:
    """Three disjoint splits: ``train`` is learned from, ``validation`` selects, ``test`` is opened once, at the end.

    Only numpy inside, so Ray's object store shares it between workers without a copy (and hands it out read-only).

    Attributes:
        mean, std: One number a channel, of the training split's pixels, where a pixel is from 0 to 1.
        classes: The names of the classes.
        checksum: SHA-256, in hexadecimal, of the pixels and labels of all three splits.
    """

    train: Images
    validation: Images
    test: Images
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    checksum: str
