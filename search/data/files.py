"""Images that are too many for memory: files that read like an array of pixels, decoded where they are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECE = 1024
"""Images that are decoded at once."""


@dataclass(frozen=True)
class Files:
    """Image files as uint8 pixels, N C H W: `pixels[3]`, `pixels[10:20]`, `pixels[positions]`, and iteration decode.

    Attributes:
        paths: One an image.
        size: Height and width that each is scaled and cropped to.
        channels: 1 or 3.
    """

    paths: tuple[Path, ...]
    size: int
    channels: int

    dtype = np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self.paths), self.channels, self.size, self.size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, chosen: Any) -> NDArray[np.uint8]:
        from search.data.decode import decode, decode_one  # here: what decodes needs to know what images are

        if isinstance(chosen, (int, np.integer)):
            return decode_one(self.paths[chosen], self.size, self.channels)
        positions = np.arange(len(self.paths))[chosen]
        return decode([(self.paths[position], 0) for position in positions], self.size, self.channels)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for piece in self.pieces():
            yield from piece

    def pieces(self) -> Iterator[NDArray[np.uint8]]:
        """Yields all images in order, so many at a time that memory holds them."""
        for start in range(0, len(self.paths), PIECE):
            yield self[start : start + PIECE]

    def subset(self, positions: NDArray[np.int64]) -> Files:
        """Returns the files at these positions."""
        return Files(tuple(self.paths[position] for position in positions), self.size, self.channels)


def pieces(pixels: Any) -> Iterator[NDArray[np.uint8]]:
    """Yields pixels in order: an array as one piece, files in pieces that memory holds."""
    if isinstance(pixels, Files):
        yield from pixels.pieces()
    else:
        yield pixels
