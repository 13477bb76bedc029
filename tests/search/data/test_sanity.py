"""What is wrong with data is said: leaks, duplicates, classes out of balance, pixels that don't vary, chance labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from search.data import DATASETS, Images, Splits, prepare
from search.data.sanity import neighbours, sanity


@pytest.fixture(scope="module")
def splits() -> Splits:
    return prepare(
        DATASETS.parse({"kind": "synthetic", "images": 600, "num_classes": 3, "image_size": 8, "difficulty": 0.3})
    )


def test_sound_data_are_not_warned_of(splits: Splits) -> None:
    found = sanity(splits)
    assert found.warnings == ()
    assert not any(found.leaks.values())
    assert found.mean == splits.mean
    assert [sum(counts) for counts in found.classes.values()] == [360, 120, 120]


def test_images_in_two_splits_are_a_leak(splits: Splits) -> None:
    pixels = splits.test.pixels.copy()
    pixels[:7] = splits.train.pixels[:7]
    pixels[7] = pixels[8]
    found = sanity(replace(splits, test=Images(pixels, splits.test.labels)))
    assert found.leaks == {"train and validation": 0, "train and test": 7, "validation and test": 0}
    assert found.duplicates["test"] == 1
    assert found.warnings == (
        "the splits train and test share 7 images, pixel by pixel: what is measured there was trained on",
    )


def test_classes_and_pixels(splits: Splits) -> None:
    labels = np.zeros_like(splits.train.labels)
    one = sanity(replace(splits, train=Images(splits.train.pixels, labels)))
    assert one.warnings == ("every training image is of class “pattern 0”",)
    labels[:5], labels[5:10] = 1, 2
    assert "70 times as many" in sanity(replace(splits, train=Images(splits.train.pixels, labels))).warnings[0]
    still = splits.train.pixels.copy()
    still[:, 1] = 9
    assert "channel 1 hardly vary" in sanity(replace(splits, train=Images(still, splits.train.labels))).warnings[0]


def test_neighbours_agree_unless_labels_are_shuffled(splits: Splits) -> None:
    found = neighbours(splits.train)
    assert found is not None
    assert found.agree
    shuffled = np.random.default_rng(0).permutation(splits.train.labels)
    drawn = neighbours(Images(splits.train.pixels, shuffled))
    assert drawn is not None
    assert not drawn.agree
    assert drawn.chance == pytest.approx(1 / 3, abs=0.01)
