"""Folders of images: finding the splits, the classes and the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from search.data.spec import DataError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
SPLIT_NAMES = {"validation": ("val", "valid", "validation"), "test": ("test",)}

Labelled = list[tuple[Path, int]]
"""Image files, each with its label."""


def split_folders(root: Path) -> dict[str, Path]:
    """Returns the folder of each official split: ``train`` always, ``validation`` and ``test`` where they exist.

    Without a ``train`` folder that holds folders, ``root`` itself is the training folder.

    Raises:
        DataError: If there is no such folder, or two folders claim one split.
    """
    root = root.expanduser()
    try:
        there = root.is_dir()
    except OSError as error:  # a name longer than names can be
        raise DataError(f"there can't be such a folder: {error.strerror}") from None
    if not there:
        raise DataError(f"there is no folder {root}: `root:` names the folder that holds the class folders")
    if not subfolders(root / "train"):
        return {"train": root}
    found = {"train": root / "train"}
    for split, names in SPLIT_NAMES.items():
        present = [root / name for name in names if subfolders(root / name)]
        if len(present) > 1:
            raise DataError(f"{present[0]} and {present[1]} both look like the {split} split: keep one")
        if present:
            found[split] = present[0]
    return found


def class_names(folders: dict[str, Path]) -> tuple[str, ...]:
    """Returns the names of the class folders, in alphabetical order.

    Raises:
        DataError: If there are fewer than two, or the splits differ in them.
    """
    names = subfolders(folders["train"])
    if len(names) < 2:
        raise DataError(
            f"{folders['train']} holds {len(names)} class folders, and at least two are needed: "
            "put the images of each class into a folder named after it"
        )
    for folder in folders.values():
        if odd := sorted(set(names) ^ set(subfolders(folder))):
            raise DataError(f"{folders['train']} and {folder} must hold the same class folders, but not so '{odd[0]}'")
    return tuple(names)


def list_images(folder: Path, classes: tuple[str, ...]) -> Labelled:
    """Returns the image files below each class folder, sorted, with their labels; hidden and other files are left out.

    Raises:
        DataError: If a class folder holds no image.
    """
    found: Labelled = []
    for label, name in enumerate(classes):
        files = sorted(image_files(folder / name))
        if not files:
            known = " ".join(sorted(SUFFIXES))
            raise DataError(f"{folder / name} holds no image ({known}): add some or remove the folder")
        found += [(file, label) for file in files]
    return found


def subfolders(folder: Path) -> list[str]:
    """Returns the names of the folders in a folder, hidden ones left out, sorted; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def image_files(folder: Path) -> Iterator[Path]:
    """Yields the image files in a folder and the folders below it."""
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(place, name)
