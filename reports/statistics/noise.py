"""Two noises told apart: which seed trained the network, and which images happen to be in the test set.

All from which images each network got right. The images are taken as a sample of those that the network will meet, the
seeds as a sample of those that might have trained it; each is a random effect, crossed with the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics.numbers import right

Floats = NDArray[np.float64]


def noise(
    correct: NDArray[np.bool_], *, arms: Sequence[Hashable] | None = None, baseline: Hashable | None = None
) -> pd.DataFrame:
    """Returns the variance components of each arm's accuracy, or of its difference from the baseline.

    The two-way random effects model without replication, score[s, i] = mean + seed[s] + image[i] + rest[s, i], by the
    method of moments: rest = MS_rest, seed = (MS_seed - MS_rest) / images, image = (MS_image - MS_rest) / seeds, at
    least 0 (Searle, Casella and McCulloch 1992, chapter 4; Brennan 2001, chapter 2). The mean over S seeds and I
    images then has the variance seed/S + image/I + rest/(S I).

    Args:
        correct: Arms x seeds x images; whether a network of an arm, trained with a seed, got an image right. Each seed
            is shared by all arms where differences are asked for.
        arms: What the arms are called; by default 0, 1, ...
        baseline: The arm whose results are taken off the others', image by image and seed by seed; by default none.

    Returns:
        One row an arm, without the baseline: ``mean`` (accuracy, or difference), the components ``seed``, ``image``,
        ``rest`` (variances; with one seed, ``seed`` is missing and ``rest`` is within ``image``), ``seeds``,
        ``images``, ``error`` (standard error over both: what the figure would move by with fresh seeds and fresh
        images), ``seed_error`` (with fresh seeds on the same images), ``image_error`` (with the same networks on fresh
        images), ``more_seeds`` and ``more_images`` (what ``error`` would come to with infinitely many seeds, or
        images).

    Raises:
        ValueError: If the array has not three dimensions, is empty, or the baseline is not one of its arms.
    """
    correct = right(correct, "which images were right")
    names = _names(correct, arms)
    scores = correct.astype(np.float32)
    if baseline is not None:
        if baseline not in names:
            raise ValueError(f"the baseline {baseline!r} is not one of the arms")
        reference = scores[names.index(baseline)]
        others = [number for number, name in enumerate(names) if name != baseline]
        scores, names = scores[others] - reference, [names[number] for number in others]
    frame = _components(scores).set_axis(pd.Index(names, name="arm"), axis=0)
    both = frame["rest"].fillna(0) / (frame["seeds"] * frame["images"])
    return frame.assign(
        error=remaining(frame, frame["seeds"], frame["images"]),
        seed_error=np.sqrt(frame["seed"] / frame["seeds"] + both),
        image_error=np.sqrt(frame["image"] / frame["images"] + both),
        more_seeds=remaining(frame, np.inf, frame["images"]),
        more_images=remaining(frame, frame["seeds"], np.inf),
    )


def remaining(components: pd.DataFrame, seeds: float | pd.Series, images: float | pd.Series) -> pd.Series:
    """Returns the standard error that so many seeds and images would leave, either of them infinite if one likes.

    sqrt(seed / seeds + image / images + rest / (seeds images)), with the components of :func:`noise`. Missing where
    the seed's part is unknown, as it is with one seed.
    """
    seed, image, rest = components["seed"], components["image"], components["rest"]
    return pd.Series(np.sqrt(seed / seeds + image / images + rest / (seeds * images)))


def _names(correct: NDArray[np.bool_], arms: Sequence[Hashable] | None) -> list[Hashable]:
    if correct.ndim != 3 or 0 in correct.shape:
        raise ValueError(f"arms x seeds x images are wanted, at least one of each; the shape is {correct.shape}")
    names: list[Hashable] = [*range(len(correct))] if arms is None else [*arms]
    if len(names) != len(correct):
        raise ValueError(f"{len(names)} names for {len(correct)} arms")
    return names


def _components(scores: NDArray[np.float32]) -> pd.DataFrame:
    arms, seeds, images = scores.shape
    by_seed = scores.mean(axis=2, dtype=float)  # arms x seeds
    by_image = scores.mean(axis=1, dtype=float)  # arms x images
    mean = by_seed.mean(axis=1)
    of_seed = images * ((by_seed - mean[:, None]) ** 2).sum(axis=1)
    of_image = seeds * ((by_image - mean[:, None]) ** 2).sum(axis=1)
    total = np.einsum("asi,asi->a", scores, scores, dtype=float) - seeds * images * mean**2
    unknown = np.full(arms, np.nan)
    image = of_image / max(images - 1, 1) / seeds if images > 1 else unknown
    seed, rest = unknown, unknown
    if seeds > 1 and images > 1:
        rest = (total - of_seed - of_image).clip(min=0) / ((seeds - 1) * (images - 1))
        seed = ((of_seed / (seeds - 1) - rest) / images).clip(min=0)
        image = (image - rest / seeds).clip(min=0)
    return pd.DataFrame(
        {"mean": mean, "seed": seed, "image": image, "rest": rest, "seeds": seeds, "images": images}, dtype=float
    )
