"""From a data spec to the splits that every trial of a study shares."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from search.data.files import pieces
from search.data.images import Images, Splits
from search.data.spec import DataSpec
from search.data.split import divide


def prepare(spec: DataSpec, cut: int | None = None) -> Splits:
    """Loads a data set, divides it, resizes it, and measures what normalises it.

    The same arguments always give the same splits, whatever the seeds of the trials are.

    Args:
        cut: Which images are for validation is decided anew by this number; the test split stays what it is.

    Raises:
        DataError: If the images cannot be read, or a class has too few of them for three splits.
    """
    facts = spec.facts()
    parts = divide(spec.load(), facts.classes, spec.train_fraction, spec.split_seed, cut)
    train, validation, test = (resize(part, facts.image_size) for part in parts)
    mean, std = pixel_statistics(train.pixels)
    return Splits(train, validation, test, mean, std, facts.classes, checksum(train, validation, test))


def pixel_statistics(pixels: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel over all pixels of all images, a pixel being 0 to 1.

    For CIFAR-10 the deviations are about 0.247, 0.243, 0.262. The 0.2023, 0.1994, 0.2010 in many a script are
    means of the images' own deviations, which is something else. Counting the 256 values makes both exact.

    Args:
        pixels: uint8, N C H W.
    """
    values = np.arange(256) / 255
    means, deviations = [], []
    every = np.zeros((pixels.shape[1], 256), np.int64)
    for piece in pieces(pixels):
        for channel in range(piece.shape[1]):
            every[channel] += np.bincount(piece[:, channel].ravel(), minlength=256)
    for counts in every:
        mean = float(counts @ values / counts.sum())
        variance = float(counts @ (values - mean) ** 2 / counts.sum())
        means.append(mean)
        # A channel of one value carries nothing: centring it is enough, and dividing by zero is avoided.
        deviations.append(variance**0.5 or 1.0)
    return tuple(means), tuple(deviations)


def resize(images: Images, size: int) -> Images:
    """Returns the images at ``size`` x ``size`` pixels, by antialiased bilinear interpolation."""
    if images.pixels.shape[2:] == (size, size):
        return images
    import torch  # here, because planning, and data that keep their size, do without

    resized = np.empty((*images.pixels.shape[:2], size, size), np.uint8)
    for start in range(0, len(images), 1024):  # in pieces: floats of a whole data set would not fit everywhere
        piece = torch.from_numpy(np.array(images.pixels[start : start + 1024], np.float32))  # N C H W
        scaled = torch.nn.functional.interpolate(piece, (size, size), mode="bilinear", antialias=True)
        resized[start : start + 1024] = scaled.round_().clamp_(0, 255).numpy()
    return Images(resized, images.labels)


def checksum(*splits: Images) -> str:
    """Returns the SHA-256 of the splits' pixels and labels, shapes included, in hexadecimal."""
    digest = hashlib.sha256()
    for split in splits:
        for array in (getattr(split, field.name) for field in fields(split)):
            digest.update(f"{array.dtype}{array.shape}".encode())
            for piece in pieces(array):
                digest.update(np.ascontiguousarray(piece).data)
    return digest.hexdigest()
