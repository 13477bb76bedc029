from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.data import DATASETS, DataError
from search.data.split import round_half_up, stratify


@given(
    counts=st.lists(st.integers(5, 60), min_size=1, max_size=6),
    share=st.floats(0.05, 0.4),
    fraction=st.floats(0.05, 1),
    seed=st.integers(0, 2**31),
)
def test_stratify_divides_without_overlap(counts: list[int], share: float, fraction: float, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    classes = tuple(f"class {label}" for label in range(len(counts)))
    parts = stratify(labels, classes, {"test": share, "validation": share}, fraction, seed)
    positions = np.concatenate(list(parts.values()))
    assert len(np.unique(positions)) == len(positions)
    for label, count in enumerate(counts):
        taken = max(1, round_half_up(share * count))
        assert (labels[parts["test"]] == label).sum() == taken
        assert (labels[parts["validation"]] == label).sum() == taken
        assert (labels[parts["train"]] == label).sum() == max(1, round_half_up(fraction * (count - 2 * taken)))


def test_a_class_with_two_images_cannot_be_in_three_splits() -> None:
    labels = np.array([0] * 10 + [1] * 2)
    with pytest.raises(DataError, match=r"class 'rare' has 2 images, too few for test and validation and train"):
        stratify(labels, ("common", "rare"), {"test": 0.2, "validation": 0.2}, 1.0, 0)


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="leave nothing to train on"):
        DATASETS.parse({"kind": "digits", "validation_fraction": 0.5, "test_fraction": 0.5})
