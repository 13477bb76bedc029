"""Dividing images: three disjoint splits, each with the classes in the proportions of the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.data.images import Images, Source
from search.data.spec import DataError

Indices = NDArray[np.int64]


def divide(
    source: Source, classes: tuple[str, ...], train_fraction: float, seed: int, cut: int | None = None
) -> tuple[Images, Images, Images]:
    """Returns the training, validation and test split; official splits are kept, missing ones cut from training.

    Args:
        cut: Decides anew which images are for validation; the test split is the same whatever it is.

    Raises:
        DataError: If a class has too few images to be in every split, or an official split is to be cut anew.
    """
    shares = {
        name: share
        for name, share in (("test", source.test), ("validation", source.validation))
        if not isinstance(share, Images)
    }
    if cut is not None and "validation" not in shares:
        raise DataError("the data bring their own validation split, which can't be cut anew for every seed")
    positions = stratify(source.train.labels, classes, shares, train_fraction, seed, cut)
    pieces = {name: source.train.take(chosen) for name, chosen in positions.items()}
    validation = source.validation if isinstance(source.validation, Images) else pieces["validation"]
    test = source.test if isinstance(source.test, Images) else pieces["test"]
    return pieces["train"], validation, test


def stratify(
    labels: Indices,
    classes: tuple[str, ...],
    shares: dict[str, float],
    train_fraction: float,
    seed: int,
    cut: int | None = None,
) -> dict[str, Indices]:
    """Divides positions 0..N-1 into the named shares and a rest, ``train``; each class by itself.

    A class is shuffled once; the shares are cut from its front, and the training split is a prefix of what is
    left, so that a smaller ``train_fraction`` is contained in a larger one. With ``cut``, all but ``test``, whose share
    comes first, is shuffled once more.

    Returns:
        Positions in rising order, by the name of the split.

    Raises:
        DataError: If some class has too few images.
    """
    pieces: dict[str, list[Indices]] = {name: [] for name in (*shares, "train")}
    for label, name in enumerate(classes):
        members = np.flatnonzero(labels == label)
        counts = {split: max(1, round_half_up(share * len(members))) for split, share in shares.items()}
        left = len(members) - sum(counts.values())
        if left < 1:
            raise DataError(
                f"class '{name}' has {len(members)} images, too few for {' and '.join(pieces)} to get at least "
                "one each: add images, leave the class out, or lower the fractions"
            )
        counts["train"] = max(1, round_half_up(train_fraction * left))
        shuffled = np.random.default_rng([seed, label]).permutation(members)
        if cut is not None:
            kept = counts["test"] if "test" in shares else 0
            shuffled[kept:] = np.random.default_rng([seed, label, 1 + cut]).permutation(shuffled[kept:])
        start = 0
        for split, count in counts.items():
            pieces[split].append(shuffled[start : start + count])
            start += count
    return {split: np.sort(np.concatenate(parts)) for split, parts in pieces.items()}


def round_half_up(value: float) -> int:
    """Returns the nearest whole number, halves upwards (Python's ``round`` takes halves to the even neighbour)."""
    return int(value + 0.5)
