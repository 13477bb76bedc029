"""Whether a recipe means anything for a network and the images that it sees."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from blocks.cost import Tally
from blocks.errors import InfeasibleSpec
from blocks.source import Location
from blocks.walk import trace

if TYPE_CHECKING:
    from blocks import NetworkSpec
    from search.train.recipe import TrainSpec

Input = tuple[int, int, int]
"""Channels, height and width."""
Misfit = tuple[str, Location]
"""What is wrong, in a sentence, and the field that it is about."""


def misfit(recipe: TrainSpec, network: NetworkSpec, input: Input, classes: tuple[str, ...] = ()) -> Misfit | None:
    """Returns what a recipe asks for that a network or its images can't give; None if there is nothing.

    Args:
        classes: What the images show, where that is known.
    """
    found = [
        _crop(recipe, min(input[1:])),
        _colours(recipe, input[0]),
        _frozen(recipe, network),
        _first_weights(recipe, network),
        _teacher(recipe, network, input, classes),
        _single_values(recipe, network, input),
    ]
    return next((each for each in found if each is not None), None)


def missing(recipe: TrainSpec) -> Misfit | None:
    """Returns what a recipe needs that isn't installed; planning does without."""
    if recipe.quantisation_aware is not None and find_spec("torchao") is None:
        message = "quantisation-aware training needs torchao, which isn't there: pip install 'residual-search[qat]'"
        return message, ("train", "quantisation_aware")
    lacking = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if not recipe.evaluation.int8 or not lacking:
        return None
    message = f"int8 needs {' and '.join(lacking)}, which isn't there: pip install 'residual-search[onnx]'"
    return message, ("train", "evaluation", "int8")


def smallest_normed(network: NetworkSpec, input: Input) -> int | None:
    """Returns the pixels of the smallest map that a batch norm is given; None if there is no batch norm.

    Raises:
        InfeasibleSpec: If there can be no such network.
    """
    sizes = []
    for part in trace(network, input):
        tally = Tally(part.kept)
        part.layer.trace(part.given, tally)
        sizes += [tally.normed] if tally.normed is not None else []
    return min(sizes, default=None)


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


def _frozen(recipe: TrainSpec, network: NetworkSpec) -> Misfit | None:
    stages = len(network.stages)
    for index in recipe.freeze:
        if index != "stem" and index >= stages:
            return f"there is no stage {index} to freeze: the network has {stages}, counted from 0", ("train", "freeze")
    return None


def _first_weights(recipe: TrainSpec, network: NetworkSpec) -> Misfit | None:
    if recipe.init is None:
        return None
    try:
        wrong = recipe.init.unfit(network)
    except InfeasibleSpec:
        return None  # the plan says what is wrong with the network
    return None if wrong is None else (wrong, ("train", "init"))


def _teacher(recipe: TrainSpec, network: NetworkSpec, input: Input, classes: tuple[str, ...]) -> Misfit | None:
    if recipe.distill is None:
        return None
    wrong = recipe.distill.unfit(network, classes)
    try:
        if wrong is None:
            recipe.distill.memory(input, 1)
    except InfeasibleSpec as error:
        wrong = f"the teacher can't be given these images: {error}"
    return None if wrong is None else (wrong, ("train", "distill", "teacher"))


def _single_values(recipe: TrainSpec, network: NetworkSpec, input: Input) -> Misfit | None:
    """Refuses what torch would at the first step: a batch norm that is given one value a channel."""
    if recipe.micro_batch == "auto" or recipe.freeze_batch_norm in ("statistics", "both"):
        return None
    parts = recipe.images_at_once()
    if 1 not in (parts, recipe.batch_size % parts):
        return None
    try:
        pixels = smallest_normed(network, input)
    except InfeasibleSpec:
        return None
    if pixels != 1:
        return None
    message = (
        "a batch norm would see a single value a channel: one image at a time, whose map is 1x1 there; take larger "
        "batches, fewer strides, another norm, or freeze_batch_norm: statistics"
    )
    return message, ("train", "batch_size")
