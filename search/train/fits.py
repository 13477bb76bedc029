"""Whether a recipe means anything for the images that a network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blocks.source import Location

if TYPE_CHECKING:
    from search.train.recipe import TrainSpec

Misfit = tuple[str, Location]
"""What is wrong, in a sentence, and the field that it is about."""


def misfit(recipe: TrainSpec, input: tuple[int, int, int]) -> Misfit | None:
    """Returns what a recipe asks for that images of these channels, height and width can't give; None if nothing."""
    found = [_crop(recipe, min(input[1:])), _colours(recipe, input[0])]
    return next((each for each in found if each is not None), None)


def _crop(recipe: TrainSpec, size: int) -> Misfit | None:
    crop = recipe.augment.crop
    if crop < size:
        return None
    message = f"with a border of {crop} pixels, a crop of {size} may hold nothing else"
    return message, ("train", "augment", "crop")


def _colours(recipe: TrainSpec, channels: int) -> Misfit | None:
    augment, place = recipe.augment, ("train", "augment")
    jitter = augment.color_jitter.plain()
    if channels not in (1, 3) and augment.policy.kind != "none":
        return f"the policy works on one channel or three, and the images have {channels}", (*place, "policy")
    if channels not in (1, 3) and any(jitter.values()):
        return f"colour jitter works on one channel or three, and the images have {channels}", (*place, "color_jitter")
    for name in ("saturation", "hue"):
        if channels == 1 and jitter[name]:
            return f"{name} does nothing to images of one channel", (*place, "color_jitter", name)
    return None
