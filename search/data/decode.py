"""Image files in memory: decoded once, and kept in the user's data folder for the next time."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.data.cache import data_folder, sole_writer
from search.data.folder import Labelled
from search.data.spec import DataError

if TYPE_CHECKING:
    from PIL.Image import Image


def load_pixels(files: Labelled, size: int, channels: int) -> NDArray[np.uint8]:
    """Decodes the files, or reads what an earlier call decoded if nothing has changed since.

    Returns:
        uint8 pixels, N ``channels`` ``size`` ``size``, in the order of ``files``.

    Raises:
        DataError: If an image cannot be read, or all of them together do not fit in memory.
    """
    if (needed := bytes_needed(files, size, channels)) > (free := free_memory()):
        raise DataError(
            f"{len(files)} images of {size}x{size} pixels need {needed / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} GiB are free: lower image_size, or leave in_memory to itself"
        )
    stored = data_folder() / "decoded" / f"{content_key(files, size, channels)}.npy"
    pixels = read_decoded(stored)
    if pixels is None:
        with sole_writer(stored.parent):
            pixels = read_decoded(stored)  # another process may have written it while this one waited
            if pixels is None:
                pixels = decode(files, size, channels)
                write_decoded(stored, pixels)
    return pixels


def bytes_needed(files: Labelled, size: int, channels: int) -> int:
    """Returns what it takes to hold all images: once decoded, once divided into splits."""
    return 2 * len(files) * channels * size * size


def content_key(files: Labelled, size: int, channels: int) -> str:
    """Returns a name for what decoding these files gives: it changes with any path, file size or time of change."""
    digest = hashlib.sha256(f"1 {size} {channels}".encode())  # 1: the version of the way of decoding
    for file, label in files:
        state = file.stat()
        digest.update(f"\0{file.absolute()}\0{label}\0{state.st_size}\0{state.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def read_decoded(stored: Path) -> NDArray[np.uint8] | None:
    """Returns the stored pixels, or None if there are none or they are not what was written."""
    proof = stored.with_suffix(".sha256")
    if not (stored.is_file() and proof.is_file()):
        return None
    with stored.open("rb") as handle:
        if hashlib.file_digest(handle, "sha256").hexdigest() != proof.read_text():
            return None
        handle.seek(0)
        pixels: NDArray[np.uint8] = np.load(handle, allow_pickle=False)
    return pixels


def write_decoded(stored: Path, pixels: NDArray[np.uint8]) -> None:
    """Stores pixels beside their SHA-256, which is written last: half a file is never taken for a whole one.

    Raises:
        DataError: If the disk is full.
    """
    partial = stored.with_suffix(".partial")
    try:
        with partial.open("w+b") as handle:
            np.save(handle, pixels)
            handle.seek(0)
            proof = hashlib.file_digest(handle, "sha256").hexdigest()
        partial.replace(stored)
        stored.with_suffix(".sha256").write_text(proof)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(f"cannot store decoded images as {stored} ({error.strerror}): make room there") from error


def decode(files: Labelled, size: int, channels: int) -> NDArray[np.uint8]:
    """Returns the images of all files: uint8, N ``channels`` ``size`` ``size``."""
    pixels = np.empty((len(files), channels, size, size), np.uint8)

    def place(start: int) -> None:
        for position, (file, _) in enumerate(files[start : start + 64], start):
            pixels[position] = decode_one(file, size, channels)

    with ThreadPoolExecutor(decoding_threads(files)) as pool:
        try:
            for _ in pool.map(place, range(0, len(files), 64)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)  # after a failure the rest need not be decoded
    return pixels


def decoding_threads(files: Labelled) -> int:
    """Returns how many threads decode fastest: one a core for photographs, one for thumbnails, of which most of the
    time goes to Python (32x32 JPEGs: 0.13 ms an image in one thread, 0.27 in two)."""
    sample = files[:: max(1, len(files) // 100)]
    mean_bytes = sum(file.stat().st_size for file, _ in sample) / len(sample)
    return os.cpu_count() or 1 if mean_bytes > 16 * 1024 else 1


def decode_one(file: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """Returns one image upright, its shorter side scaled to ``size``, its centre cropped: uint8 C H W."""
    from PIL import Image

    try:
        with Image.open(file) as opened:
            if opened.mode.startswith(("I", "F")):
                raise DataError(f"{file} has more than 8 bits a pixel: convert it to an 8-bit image")
            return fitted(opened, size, channels)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot read the image {file} ({error}): repair or remove it") from error


def fitted(opened: Image, size: int, channels: int) -> NDArray[np.uint8]:
    """Returns Pillow's image upright, its shorter side scaled to ``size``, its centre cropped: uint8 C H W."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(opened).convert("L" if channels == 1 else "RGB")
    cropped = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(cropped).reshape(size, size, channels).transpose(2, 0, 1)


def free_memory() -> int:
    """Returns the bytes of memory that can be had without swapping; where the system does not say, all it has."""
    report = Path("/proc/meminfo")
    if report.is_file():
        fields = dict(line.split(":", 1) for line in report.read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
