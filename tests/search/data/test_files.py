"""Folders that memory doesn't hold are decoded on the way, and nothing else is different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search.data import DATASETS, Splits, prepare
from search.data.files import Files
from search.data.kinds import image_folder
from search.data.sanity import sanity
from search.train.augmentation import Augmentation
from search.train.chance import stream
from search.train.feed import Feed, evaluation_batches, training_batches
from search.train.recipe import TrainSpec
from search.train.stream import Stream
from tests.search.data.examples import write_class_folders

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Splits, Splits]:
    """The same small folder: held in memory, and decoded on the way."""
    folder = tmp_path_factory.mktemp("folder")
    write_class_folders(folder / "images", classes=2, count=30)
    fields: dict[str, Any] = {"kind": "image_folder", "root": str(folder / "images"), "image_size": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        held, streamed = (prepare(DATASETS.parse({**fields, "in_memory": there})) for there in (True, False))
    return held, streamed


def test_splits_statistics_and_checksum_are_the_same(both: tuple[Splits, Splits]) -> None:
    held, streamed = both
    assert isinstance(streamed.train.pixels, Files)
    assert (held.mean, held.std, held.checksum) == (streamed.mean, streamed.std, streamed.checksum)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(held, name).labels, getattr(streamed, name).labels)
        np.testing.assert_array_equal(getattr(held, name).pixels, getattr(streamed, name).pixels[:])
    assert sanity(held) == sanity(streamed)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_in_the_same_order_with_the_same_draws(both: tuple[Splits, Splits], workers: int) -> None:
    recipe = TrainSpec.model_validate({"batch_size": 8, "augment": {"crop": 1, "flip": True}})
    seen = []
    for splits in both:
        feed = Feed.of(splits.train, splits, CPU)
        if isinstance(feed.pixels, Stream):
            feed = Feed(Stream(feed.pixels.files, CPU, workers), feed.labels, feed.mean, feed.std)
        order, augmentation = stream(0, "order"), Augmentation(recipe.augment, 0, len(splits.train), (8, 8))
        epochs = [
            batch for _ in range(2) for part in training_batches(feed, recipe, order, augmentation) for batch in part
        ]
        validation = list(evaluation_batches(Feed.of(splits.validation, splits, CPU), 5))
        seen.append((epochs, validation))
    (held, held_validation), (streamed, streamed_validation) = seen
    assert len(held) == len(streamed) > 2
    for one, other in zip(held, streamed, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    for (one_image, _), (other_image, _) in zip(held_validation, streamed_validation, strict=True):
        assert torch.equal(one_image, other_image)


def test_what_fits_half_of_the_free_memory_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(tmp_path / "images", classes=2, count=5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spec = DATASETS.parse({"kind": "image_folder", "root": str(tmp_path / "images"), "image_size": 8})
    needed = 2 * 10 * 3 * 8 * 8
    for free, held in ((2 * needed, True), (2 * needed - 2, False)):
        monkeypatch.setattr(image_folder, "free_memory", lambda free=free: free)
        monkeypatch.setattr("search.data.decode.free_memory", lambda: 10**12)
        assert isinstance(spec.load().train.pixels, np.ndarray) == held


def test_in_memory_or_not_it_is_the_same_arm() -> None:
    fields = {"kind": "image_folder", "root": "images", "image_size": 8}
    one, other = (DATASETS.parse({**fields, "in_memory": there}) for there in (True, False))
    assert one.content() == other.content()
