"""Reading MNIST and Fashion-MNIST, which share a format."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.data.images import Images, Source
from search.data.official import fetch


def load_idx(name: str, folder: Path, validation: float) -> Source:
    """Returns the images of torchvision's ``MNIST`` or ``FashionMNIST``.

    They are read from the published ``.gz`` files, whose MD5 is known. (torchvision reads the files it has
    unpacked from them, which nothing guards: a flipped bit there would train.)

    Raises:
        DataError: If the files are missing or damaged, and cannot be downloaded.
    """
    from torchvision import datasets  # here, because it imports torch

    known = getattr(datasets, name)
    raw = folder / name / "raw"
    arrays = {
        file: parse_idx(gzip.decompress(fetch_verified(raw / file, md5, known.mirrors)))
        for file, md5 in known.resources
    }

    def part(prefix: str) -> Images:
        pixels, labels = (arrays[f"{prefix}-{what}-ubyte.gz"] for what in ("images-idx3", "labels-idx1"))
        return Images(pixels[:, None], labels.astype(np.int64))

    return Source(part("train"), validation, part("t10k"))


def fetch_verified(file: Path, md5: str, mirrors: list[str]) -> bytes:
    """Returns the bytes of a file with that MD5, downloaded from the first mirror that has it if need be."""
    from torchvision.datasets.utils import check_integrity, download_url

    def read(download: bool) -> bytes:
        failures = []
        for mirror in mirrors if download else ():
            try:
                download_url(mirror + file.name, file.parent, md5=md5)
                break
            except (RuntimeError, OSError) as error:
                failures.append(str(error))
        if not check_integrity(file, md5):
            raise RuntimeError("; ".join(failures) or "its MD5 differs")
        return file.read_bytes()

    return fetch(read, file, " or ".join(mirror + file.name for mirror in mirrors))


def parse_idx(content: bytes) -> NDArray[np.uint8]:
    """Returns the array in an unpacked idx file: two zero bytes, type 8 (uint8), the rank, the sizes, the values."""
    rank = content[3]
    sizes = np.frombuffer(content, ">u4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)
