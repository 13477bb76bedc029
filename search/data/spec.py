"""The face of every data set: fields that all share, facts for planning, images for training."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

from pydantic import Field

from blocks.base import Count, Natural, Number
from blocks.registry import Registry
from search.content import ContentSpec
from search.data.images import Facts, Source

Share = Annotated[Number, Field(gt=0, lt=1)]
"""A share of a data set's images, between 0 and 1, both ends excluded."""


class DataError(Exception):
    """The data cannot be used as they are; the message is one sentence that says where and what to do."""


class DataSpec(ContentSpec):
    """A data set as data: which images, at which size, and how they are divided.

    Each kind declares the shares it cuts, ``validation_fraction`` and, without an official test split,
    ``test_fraction``: a field exists only where it acts.
    """

    kind: str
    image_size: Count | None = None
    """Height and width in pixels to resize every image to (antialiased bilinear); none keeps the set's own size."""
    train_fraction: Annotated[Number, Field(gt=0, le=1)] = 1.0
    """The share of the training split that is used. Stratified, and nested: a smaller share lies within a larger.
    Validation and test stay whole."""
    split_seed: Natural = 0
    """The only thing that decides which image falls into which split."""

    located_by: ClassVar[frozenset[str]] = frozenset({"root"})
    """Fields that say where the files lie, not what the images are; they are no part of an arm's identity."""

    def content(self) -> dict[str, Any]:
        """Returns the plain data that decide which images there are, and how they are divided."""
        return {field: value for field, value in self.plain().items() if field not in self.located_by}

    @abstractmethod
    def facts(self) -> Facts:
        """Returns channels, size and classes as ``prepare`` will give them, without opening an image.

        Raises:
            DataError: If the files that tell the classes are not there.
        """

    @abstractmethod
    def load(self) -> Source:
        """Returns all images, official splits apart; ``prepare`` divides and resizes them.

        Raises:
            DataError: If a file is missing, unreadable or fails its checksum.
        """


DATASETS: Registry[DataSpec] = Registry("data set", "search.data.kinds")


def leaves_something(validation_fraction: float, test_fraction: float) -> None:
    """Checks that the two shares leave images to train on.

    Raises:
        ValueError: If they add up to one or more.
    """
    if validation_fraction + test_fraction >= 1:
        raise ValueError(
            f"validation_fraction {validation_fraction} and test_fraction {test_fraction} leave nothing to train on: "
            "together they must stay below 1"
        )
