"""Whether a data set is what it is taken for: how its pixels and classes lie, and whether its splits share images.

Looked at once a study, by the driver, without torch.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.data.files import pieces
from search.data.images import Images, Splits

IMBALANCE = 10.0
"""The commonest class over the rarest, from which on accuracy says more of the one than of the other."""
NARROW = 0.02
"""A channel's deviation, a pixel being from 0 to 1: five of 255 grey levels. Photographs have 0.2 to 0.3."""
ASKED, SIDE = 1000, 8
"""How many images are asked for their nearest neighbour, and the side, in pixels, that they are averaged down to."""
SIGMAS = 3.0
"""Neighbours agree if they do more often than chance by so many standard errors: wrong once in 700 times."""


@dataclass(frozen=True)
class Sanity:
    """What was found.

    Attributes:
        mean, deviation: Of the training pixels, a number a channel, a pixel being from 0 to 1.
        classes: Images of each class, by split.
        duplicates: Images of a split that are there twice or more, pixel by pixel, by split.
        leaks: Images that two splits share, by ``train and test``, say.
        warnings: A sentence for each thing that looks wrong.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    classes: dict[str, list[int]]
    duplicates: dict[str, int]
    leaks: dict[str, int]
    warnings: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Returns plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Neighbours:
    """How often an image and the one most like it are of one class.

    Attributes:
        share: How often they are.
        chance: How often they would be if labels were drawn by chance.
        agree: Whether that is more than chance gives.
    """

    share: float
    chance: float
    agree: bool


def sanity(splits: Splits) -> Sanity:
    """Looks at the splits of a study."""
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    hashes = {name: Counter(_digests(images.pixels)) for name, images in parts.items()}
    classes = {name: _counts(images, splits) for name, images in parts.items()}
    duplicates = {name: len(parts[name]) - len(found) for name, found in hashes.items()}
    leaks = {
        f"{one} and {other}": sum(hashes[one][image] for image in hashes[one].keys() & hashes[other].keys())
        for one, other in combinations(parts, 2)
    }
    found = Sanity(splits.mean, splits.std, classes, duplicates, leaks, ())
    return Sanity(**{**asdict(found), "warnings": tuple(_warnings(found, splits))})


def neighbours(images: Images) -> Neighbours | None:
    """Asks images for their nearest neighbour by correlation, averaged down so that a shift of a pixel matters little.

    None for fewer than 100 images, of which chance alone tells little.
    """
    asked = np.linspace(0, len(images) - 1, min(ASKED, len(images))).astype(int)
    if len(asked) < 100:
        return None
    flat = _small(images.pixels[asked])
    flat = flat - flat.mean(1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    alike = flat @ flat.T
    np.fill_diagonal(alike, -np.inf)
    labels = images.labels[asked]
    share = float((labels[alike.argmax(1)] == labels).mean())
    parts = np.bincount(labels) / len(labels)
    chance = float((parts**2).sum())
    return Neighbours(share, chance, share > chance + SIGMAS * math.sqrt(chance * (1 - chance) / len(labels)))


def _warnings(found: Sanity, splits: Splits) -> list[str]:
    said = []
    for both, shared in found.leaks.items():
        if shared:
            said.append(
                f"the splits {both} share {shared:,} images, pixel by pixel: what is measured there was trained on"
                if both.startswith("train")
                else f"the splits {both} share {shared:,} images, pixel by pixel: the test is not independent"
            )
    counts = found.classes["train"]
    if sum(count > 0 for count in counts) == 1:
        said.append(f"every training image is of class “{splits.classes[int(np.argmax(counts))]}”")
    elif min(counts) == 0:
        said.append(f"no training image is of class “{splits.classes[int(np.argmin(counts))]}”")
    elif max(counts) > IMBALANCE * min(counts):
        many, few = splits.classes[int(np.argmax(counts))], splits.classes[int(np.argmin(counts))]
        said.append(f"class “{many}” has {max(counts) / min(counts):.0f} times as many training images as “{few}”")
    pixels = splits.train.pixels
    still = {channel for channel in range(pixels.shape[1]) if _still(pixels, channel)}
    narrow = [channel for channel, size in enumerate(found.deviation) if size < NARROW or channel in still]
    if narrow:
        said.append(f"the pixels of channel {', '.join(map(str, narrow))} hardly vary: a deviation below {NARROW:g}")
    return said


def _still(pixels: Any, channel: int) -> bool:
    """Whether all pixels of a channel are equal."""
    least, most = zip(*((piece[:, channel].min(), piece[:, channel].max()) for piece in pieces(pixels)), strict=True)
    return bool(min(least) == max(most))


def _counts(images: Images, splits: Splits) -> list[int]:
    return [int(count) for count in np.bincount(images.labels, minlength=len(splits.classes))]


def _digests(pixels: NDArray[np.uint8]) -> list[bytes]:
    return [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in pixels]


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns N values: the images averaged over squares, so that at most ``SIDE`` rows and columns are left."""
    step = max(1, -(-pixels.shape[2] // SIDE)), max(1, -(-pixels.shape[3] // SIDE))
    height, width = (pixels.shape[2] // step[0]) * step[0], (pixels.shape[3] // step[1]) * step[1]
    cut = pixels[:, :, :height, :width].astype(np.float64)
    shape = (len(cut), cut.shape[1], height // step[0], step[0], width // step[1], step[1])
    small: NDArray[np.float64] = cut.reshape(shape).mean((3, 5)).reshape(len(cut), -1)
    return small
