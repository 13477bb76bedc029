"""Generated images of any size: for tests, benchmarks and dry rehearsals."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from blocks.base import Count, Fraction, Natural
from search.data.images import Facts, Images, Source
from search.data.spec import DATASETS, DataSpec, Share, leaves_something


@DATASETS.register
class Synthetic(DataSpec):
    """Each class is a smooth random pattern; each image is its class's pattern, shifted and in noise.

    Convolutions learn it, a single pixel does not tell. No official split.
    """

    kind: Literal["synthetic"] = "synthetic"
    images: Count = 1000
    """How many images to generate, all splits together; each class gets an equal number, give or take one."""
    num_classes: Annotated[Count, Field(ge=2)] = 10
    channels: Count = 3
    image_size: Count = 16
    """Height and width in pixels; images are generated at this size."""
    difficulty: Fraction = 0.5
    """The share of noise: at 0 images of a class differ by a shift only, at 1 there is nothing to be learned."""
    seed: Natural = 0
    """Decides patterns and images."""
    validation_fraction: Share = 0.2
    """The share of all images that becomes the validation split."""
    test_fraction: Share = 0.2
    """The share of all images that becomes the test split."""

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        leaves_something(self.validation_fraction, self.test_fraction)
        return self

    def facts(self) -> Facts:
        classes = tuple(f"pattern {label}" for label in range(self.num_classes))
        return Facts(self.channels, self.image_size, classes, self.images)

    def load(self) -> Source:
        generator = np.random.default_rng(self.seed)
        labels = generator.permutation(np.arange(self.images) % self.num_classes)
        shape = (self.num_classes, self.channels, self.image_size)
        patterns = smooth_patterns(shape, generator)
        pixels = np.empty((self.images, *patterns.shape[1:]), np.uint8)
        for start in range(0, self.images, 4096):  # in pieces, to keep the floats small
            chosen = labels[start : start + 4096]
            clean = shifted(patterns[chosen], generator)
            noise = generator.standard_normal(clean.shape, np.float32)
            mixed = (1 - self.difficulty) * clean + self.difficulty * noise  # both of unit variance
            pixels[start : start + 4096] = np.clip(127.5 + 60 * mixed, 0, 255)
        return Source(Images(pixels, labels), self.validation_fraction, self.test_fraction)


def smooth_patterns(shape: tuple[int, int, int], generator: np.random.Generator) -> NDArray[np.float32]:
    """Returns one pattern a class, 4x4 random values stretched bilinearly and periodically to full size.

    Args:
        shape: Classes, channels, and height or width in pixels.
        generator: The source of the random values.

    Returns:
        float32, classes C H W, each of mean 0 and variance 1.
    """
    classes, channels, size = shape
    coarse = generator.standard_normal((classes, channels, 4, 4))
    place = np.arange(size) * 4 / size
    lower, weight = place.astype(int), place % 1
    stretch = np.zeros((size, 4))  # rows: pixels; columns: coarse values
    np.add.at(stretch, (np.arange(size), lower % 4), 1 - weight)
    np.add.at(stretch, (np.arange(size), (lower + 1) % 4), weight)
    patterns = np.einsum("hi,ncij,wj->nchw", stretch, coarse, stretch)
    axes = (1, 2, 3)
    deviation = patterns.std(axes, keepdims=True)
    normed: NDArray[np.float32] = (patterns - patterns.mean(axes, keepdims=True)) / np.maximum(deviation, 1e-6)
    return normed.astype(np.float32)


def shifted(images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Returns the images, N C H W, each rolled around by up to an eighth of its size in both directions."""
    count, _, size, _ = images.shape
    reach = size // 8
    down, right = generator.integers(-reach, reach + 1, (2, count, 1))
    rows, columns = (np.arange(size) + down) % size, (np.arange(size) + right) % size  # N H, N W
    index = (np.arange(count)[:, None, None], slice(None), rows[:, :, None], columns[:, None, :])
    rolled: NDArray[np.float32] = images[index].transpose(0, 3, 1, 2)  # the slice between arrays puts C last
    return rolled
