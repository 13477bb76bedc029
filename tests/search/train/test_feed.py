from __future__ import annotations

import numpy as np
import pytest
import torch

from search.data import Images, Splits
from search.train import feed as feeds
from search.train.augmentation import Augmentation
from search.train.chance import stream
from search.train.feed import Feed, evaluation_batches, training_batches
from search.train.recipe import TrainSpec
from tests.search.train.specs import recipe_of

CPU = torch.device("cpu")


def augmentation(splits: Splits, recipe: TrainSpec, seed: int) -> Augmentation:
    return Augmentation(recipe.augment, seed, len(splits.train), (8, 8))


def epoch(splits: Splits, recipe: TrainSpec, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    feed = Feed.of(splits.train, splits, CPU)
    chunks = training_batches(feed, recipe, stream(seed, "order"), augmentation(splits, recipe, seed))
    return [(batch.images, batch.labels) for chunk in chunks for batch in chunk]


def test_read_only_memory_is_shared_without_a_warning(patterns: Splits) -> None:
    pixels = patterns.train.pixels.copy()
    pixels.flags.writeable = False
    feed = Feed.of(Images(pixels, patterns.train.labels), patterns, CPU)
    assert feed.pixels.data_ptr() == pixels.ctypes.data


def test_batches_have_one_size_and_hold_each_image_at_most_once(patterns: Splits) -> None:
    batches = epoch(patterns, recipe_of(batch_size=32))
    assert [len(labels) for _, labels in batches] == [32] * (len(patterns.train) // 32)
    images = torch.cat([pixels for pixels, _ in batches])
    assert len({image.numpy().tobytes() for image in images}) == len(images)


def test_fewer_images_than_a_batch_are_one_batch(patterns: Splits) -> None:
    ((pixels, labels),) = epoch(patterns, recipe_of(batch_size=4096))
    assert len(pixels) == len(labels) == len(patterns.train)


def test_images_are_normalised_and_channels_innermost(patterns: Splits) -> None:
    ((pixels, _),) = epoch(patterns, recipe_of(batch_size=4096))
    torch.testing.assert_close(pixels.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(pixels.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)
    assert pixels.is_contiguous(memory_format=torch.channels_last)


def test_labels_stay_with_their_images(patterns: Splits) -> None:
    label_of = {
        pixels.tobytes(): label for pixels, label in zip(patterns.train.pixels, patterns.train.labels, strict=True)
    }
    feed = Feed.of(patterns.train, patterns, CPU)
    for pixels, labels in epoch(patterns, recipe_of()):
        original = (pixels * feed.std + feed.mean).round().to(torch.uint8).contiguous()
        assert [label_of[image.numpy().tobytes()] for image in original] == labels.tolist()


def test_order_follows_from_the_seed_and_changes_with_the_epoch(patterns: Splits) -> None:
    first, again, other = (torch.cat([labels for _, labels in epoch(patterns, recipe_of(), s)]) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    feed, order, still = (
        Feed.of(patterns.train, patterns, CPU),
        stream(0, "order"),
        augmentation(patterns, recipe_of(), 0),
    )
    epochs = [
        torch.cat([part.labels for chunk in training_batches(feed, recipe_of(), order, still) for part in chunk])
        for _ in range(2)
    ]
    assert torch.equal(epochs[0], first)
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.parametrize(
    "augment",
    [
        {},
        {"crop": 2, "flip": True},
        {"policy": "rand_augment", "erasing": {"probability": 0.5}, "cutmix": 1, "mixup": 1},
    ],
)
def test_how_much_is_made_ready_at_once_changes_nothing(
    patterns: Splits, augment: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(augment=augment)
    whole = epoch(patterns, recipe)
    monkeypatch.setitem(feeds.CHUNK_BYTES, "cpu", 1)
    for (pixels, labels), (same_pixels, same_labels) in zip(whole, epoch(patterns, recipe), strict=True):
        assert torch.equal(pixels, same_pixels)
        assert torch.equal(labels, same_labels)


def test_evaluation_sees_every_image_once_in_order(patterns: Splits) -> None:
    batches = list(evaluation_batches(Feed.of(patterns.test, patterns, CPU), 32))
    np.testing.assert_array_equal(torch.cat([labels for _, labels in batches]), patterns.test.labels)
    assert sum(len(pixels) for pixels, _ in batches) == len(patterns.test)
