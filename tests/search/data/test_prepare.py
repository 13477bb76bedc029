from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from search.data import DATASETS, Images, prepare
from search.data.prepare import pixel_statistics, resize


def test_statistics_are_those_of_pixels_not_of_images() -> None:
    brightness = np.array([20, 220], np.uint8).repeat(8)[:, None, None, None]
    noise = np.random.default_rng(0).integers(0, 30, (16, 3, 4, 4), np.uint8)
    pixels = brightness + noise
    mean, std = pixel_statistics(pixels)
    assert_allclose(mean, (pixels / 255).mean((0, 2, 3)))
    assert_allclose(std, (pixels / 255).std((0, 2, 3)))
    mean_of_image_deviations = (pixels / 255).std((2, 3)).mean(0)  # where CIFAR-10's 0.2023 comes from
    assert (np.array(std) > 5 * mean_of_image_deviations).all()


def test_a_channel_of_one_value_is_not_divided_by_zero() -> None:
    mean, std = pixel_statistics(np.full((2, 1, 3, 3), 51, np.uint8))
    assert_allclose(mean, 0.2)
    assert std == (1.0,)


def test_resizing_averages_and_does_not_skip() -> None:
    board = np.indices((8, 8)).sum(0) % 2 * 255
    images = Images(board.astype(np.uint8)[None, None], np.zeros(1, np.int64))
    shrunk = resize(images, 4).pixels
    assert ((shrunk > 100) & (shrunk < 155)).all()  # taking every other pixel would give 0 or 255
    assert resize(images, 8) is images
    assert_array_equal(resize(Images(np.full((1, 1, 4, 4), 77, np.uint8), images.labels), 9).pixels, 77)


def test_digits_are_all_there_in_full_range() -> None:
    splits = prepare(DATASETS.parse("digits"))
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 1797
    assert splits.train.pixels.max() == 255
    assert len(np.unique(splits.train.pixels)) == 17


@pytest.mark.parametrize("difficulty", [0.0, 0.6])
def test_synthetic_classes_can_be_told_apart(difficulty: float) -> None:
    spec = DATASETS.parse({"kind": "synthetic", "num_classes": 4, "image_size": 8, "difficulty": difficulty})
    assert nearest_centroid_accuracy(spec) > 0.8


def test_synthetic_noise_holds_nothing_to_learn() -> None:
    spec = DATASETS.parse({"kind": "synthetic", "num_classes": 4, "image_size": 8, "difficulty": 1})
    assert nearest_centroid_accuracy(spec) < 0.45


def nearest_centroid_accuracy(spec: object) -> float:
    splits = prepare(spec)  # type: ignore[arg-type]
    train, validation = (split.pixels.reshape(len(split), -1) / 255 for split in (splits.train, splits.validation))
    centroids = np.stack([train[splits.train.labels == label].mean(0) for label in range(len(splits.classes))])
    nearest = ((validation[:, None] - centroids) ** 2).sum(2).argmin(1)
    return float((nearest == splits.validation.labels).mean())
