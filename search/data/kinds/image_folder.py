"""Your own images: a folder with one folder a class."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from blocks.base import Count, Flag, Text
from search.data.decode import bytes_needed, free_memory, load_pixels
from search.data.files import Files
from search.data.folder import Labelled, class_names, image_files, list_images, split_folders
from search.data.images import Facts, Images, Source
from search.data.spec import DATASETS, DataError, DataSpec, Share, leaves_something

USUAL_SHARE = 0.2


@DATASETS.register
class ImageFolder(DataSpec):
    """A folder of class folders, or of ``train`` with ``val`` and/or ``test`` beside it, each of class folders.

    Splits that have no folder are cut from the training images. Each image is turned upright by its EXIF tag, scaled
    until its shorter side is ``image_size``, and cropped around its centre. The decoded images are kept in the
    user's data folder and read from there until a file's path, size or time of change differs.
    """

    # The folder is all that tells one set from another; in memory or not, the images are the same.
    located_by: ClassVar[frozenset[str]] = frozenset({"in_memory"})
    kind: Literal["image_folder"] = "image_folder"
    root: Text
    """The folder."""
    image_size: Count
    """Height and width in pixels."""
    channels: Literal[1, 3] = 3
    """1 turns every image grey, 3 makes every image RGB."""
    in_memory: Flag | Literal["auto"] = "auto"
    """Whether all images are decoded once and held; else each epoch decodes them anew, in processes of its own, in the
    same order and with the same draws. ``auto`` holds what takes up to half of the free memory."""
    validation_fraction: Share | None = None
    """The share of the training images that becomes the validation split: 0.2, unless there is a ``val`` folder."""
    test_fraction: Share | None = None
    """The share of the training images that becomes the test split: 0.2, unless there is a ``test`` folder."""

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        leaves_something(self.validation_fraction or USUAL_SHARE, self.test_fraction or USUAL_SHARE)
        return self

    def facts(self) -> Facts:
        folders = split_folders(Path(self.root))
        classes = class_names(folders)
        count = sum(1 for name in classes for _ in image_files(folders["train"] / name))
        return Facts(self.channels, self.image_size, classes, count, "validation" in folders)

    def load(self) -> Source:
        folders = split_folders(Path(self.root))
        classes = class_names(folders)
        listed = {split: list_images(folder, classes) for split, folder in folders.items()}
        held = self._held(listed)
        loaded = {split: self._images(files, held) for split, files in listed.items()}
        return Source(
            loaded["train"],
            self._official_or_share(loaded, "validation", self.validation_fraction),
            self._official_or_share(loaded, "test", self.test_fraction),
        )

    def _held(self, listed: dict[str, Labelled]) -> bool:
        if self.in_memory == "auto":
            needed = sum(bytes_needed(files, self.image_size, self.channels) for files in listed.values())
            return needed <= free_memory() // 2
        return self.in_memory

    def _images(self, files: Labelled, held: bool) -> Images:
        labels = np.array([label for _, label in files], np.int64)
        if held:
            return Images(load_pixels(files, self.image_size, self.channels), labels)
        return Images(Files(tuple(file for file, _ in files), self.image_size, self.channels), labels)

    def _official_or_share(self, loaded: dict[str, Images], split: str, share: float | None) -> Images | float:
        if split in loaded and share is not None:
            raise DataError(
                f"{self.root} has a folder for the {split} split, so {split}_fraction would do nothing: "
                "remove the field or the folder"
            )
        return loaded.get(split, share or USUAL_SHARE)
