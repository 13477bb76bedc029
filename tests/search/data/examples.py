"""A small example of every data set, in the format in which it is published, so that the real code reads it."""

from __future__ import annotations

import gzip
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from search.data import DATASETS, DataSpec

PER_CLASS = {"train": 12, "test": 4}


def example(kind: str, folder: Path, patch: pytest.MonkeyPatch) -> DataSpec:
    """Returns a spec of this kind that loads without a network; kinds that need no files need nothing here."""
    if kind in WRITERS:
        return DATASETS.parse({"kind": kind, "root": str(folder), **WRITERS[kind](folder, patch)})
    return DATASETS.parse(kind)


def images_of(classes: int, split: str, size: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns random pixels, N C H W, and labels that hold every class equally often."""
    labels = np.tile(np.arange(classes), PER_CLASS[split])
    generator = np.random.default_rng([classes, size, split == "test"])
    return generator.integers(0, 256, (len(labels), channels, size, size), np.uint8), labels


def write_cifar(classes: int, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, object]:
    from torchvision import datasets

    cifar = datasets.CIFAR10 if classes == 10 else datasets.CIFAR100
    place = folder / cifar.base_folder
    place.mkdir(parents=True)
    for attribute, split in (("train_list", "train"), ("test_list", "test")):
        pixels, labels = images_of(classes, split, 32, 3)
        names = [name for name, _ in getattr(cifar, attribute)]
        parts = zip(names, np.array_split(pixels, len(names)), np.array_split(labels, len(names)), strict=True)
        written = []
        for name, some_pixels, some_labels in parts:
            key = "labels" if classes == 10 else "fine_labels"
            entry = {"data": some_pixels.reshape(len(some_pixels), -1), key: some_labels.tolist()}
            written.append([name, write(place / name, pickle.dumps(entry))])
        patch.setattr(cifar, attribute, written)
    names = [f"class {label}" for label in range(classes)]
    meta = dict(cifar.meta)
    meta["md5"] = write(place / meta["filename"], pickle.dumps({meta["key"]: names}))
    patch.setattr(cifar, "meta", meta)
    return {}


def write_idx(name: str, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, object]:
    from torchvision import datasets

    resources = []
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pixels, labels = images_of(10, split, 28, 1)
        for file, array in (("images-idx3-ubyte", pixels[:, 0]), ("labels-idx1-ubyte", labels.astype(np.uint8))):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            path = folder / name / "raw" / f"{prefix}-{file}.gz"
            resources.append((path.name, write(path, gzip.compress(header + array.tobytes()))))
    patch.setattr(getattr(datasets, name), "resources", resources)
    return {}


def write_svhn(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, object]:
    from torchvision.datasets import SVHN

    listed = dict(SVHN.split_list)
    for split in ("train", "test"):
        url, name, _ = listed[split]
        pixels, labels = images_of(10, split, 32, 3)
        labels = np.where(labels == 0, 10, labels)  # as published: digit 0 is class 10
        folder.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(folder / name, {"X": pixels.transpose(2, 3, 1, 0), "y": labels[:, None].astype(np.uint8)})
        listed[split] = [url, name, hashlib.md5((folder / name).read_bytes()).hexdigest()]
    patch.setattr(SVHN, "split_list", listed)
    return {}


def write_folder(folder: Path, patch: pytest.MonkeyPatch | None = None) -> dict[str, object]:
    write_class_folders(folder, classes=3, count=12)
    return {"image_size": 8}


def write_class_folders(folder: Path, classes: int, count: int, mode: str = "RGB") -> None:
    """Writes PNG images of 12x10 random pixels: ``class 0/0.png`` and so on."""
    for label in range(classes):
        place = folder / f"class {label}"
        place.mkdir(parents=True)
        for number in range(count):
            generator = np.random.default_rng([label, number, len(str(folder))])
            shape = (10, 12) if mode == "L" else (10, 12, 3)
            Image.fromarray(generator.integers(0, 256, shape, np.uint8)).save(place / f"{number}.png")


def write(path: Path, content: bytes) -> str:
    """Writes a file and returns its MD5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.md5(content).hexdigest()


WRITERS = {
    "cifar10": lambda folder, patch: write_cifar(10, folder, patch),
    "cifar100": lambda folder, patch: write_cifar(100, folder, patch),
    "mnist": lambda folder, patch: write_idx("MNIST", folder, patch),
    "fashion_mnist": lambda folder, patch: write_idx("FashionMNIST", folder, patch),
    "svhn": write_svhn,
    "image_folder": write_folder,
}
