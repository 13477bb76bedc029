"""Reading CIFAR-10 and CIFAR-100, which share a format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from search.data.images import Images, Source
from search.data.official import fetch


def load_cifar(name: str, folder: Path, validation: float) -> Source:
    """Returns the images of torchvision's ``CIFAR10`` or ``CIFAR100``; every file's MD5 is checked on the way.

    Raises:
        DataError: If the files are missing or damaged, and cannot be downloaded.
    """
    from torchvision import datasets  # here, because it imports torch

    cifar = getattr(datasets, name)

    def part(train: bool) -> Images:
        read = fetch(lambda download: cifar(folder, train=train, download=download), folder / cifar.filename, cifar.url)
        pixels = np.ascontiguousarray(read.data.transpose(0, 3, 1, 2))  # N H W C to N C H W
        return Images(pixels, np.asarray(read.targets, np.int64))

    return Source(part(True), validation, part(False))
