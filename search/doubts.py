"""What is possible in the arms of a study, but hardly meant: a sentence for each, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blocks import NetworkSpec
from search.arms import Arm
from search.configuration import Configuration

NAMED = 3
"""Of many arms, so many are named."""


def doubts(arms: Iterable[Arm]) -> list[str]:
    """Returns what the networks and recipes of arms warn of, each sentence once, with the arms that it is about."""
    found: dict[str, dict[str, None]] = {}
    different = {arm.arm: arm for arm in arms}
    for arm in different.values():
        own = arm.configuration
        for warning in (*own.network.warnings, *_frozen(own), *_augmented(own)):
            found.setdefault(warning, {})[arm.label] = None
    sizes = {arm.configuration.train.batch_seen for arm in different.values()}
    for arm in different.values():
        own = arm.configuration
        if len(sizes) > 1 and own.train.batch_seen != own.train.batch_size and uses_batch_norm(own.network):
            warning = (
                f"batch norm sees {own.train.batch_seen} images at a time, a part of the batch, and not as many in all "
                "arms: a difference may be the norm's"
            )
            found.setdefault(warning, {})[arm.label] = None
    return [f"{_whose(list(labels), len(different))}: {warning}" for warning, labels in found.items()]


def uses_batch_norm(network: NetworkSpec) -> bool:
    """Whether a network normalises over the batch, so that its result depends on how many images it sees at a time."""
    return "BatchNorm(" in network.structure  # the layers' own records, written out


def _frozen(arm: Configuration) -> Iterator[str]:
    """Yields what of a network is frozen as chance made it, or is not there to be frozen."""
    recipe = arm.train
    if recipe.freeze and recipe.init is None:
        yield f"what is frozen ({', '.join(map(str, recipe.freeze))}) stays as chance made it: there is no init"
    if recipe.freeze_batch_norm == "none":
        return
    if not uses_batch_norm(arm.network):
        yield "there is no batch norm to freeze"
    elif recipe.freeze_batch_norm != "affine" and recipe.init is None:
        yield (
            "batch norms work with frozen statistics that nothing has measured, mean 0 and variance 1: they don't "
            "normalise; start from trained weights (init)"
        )


def _augmented(arm: Configuration) -> Iterator[str]:
    """Yields what random changes do nothing, or leave nothing."""
    augment, (_, height, width) = arm.train.augment, arm.input
    if arm.train.batch_size == 1 and (augment.mixup or augment.cutmix):
        yield "a batch of one image has none to mix it with: mixup and cutmix do nothing"
    if augment.cutmix and height * width == 1:
        yield "an image of one pixel has no part to replace: cutmix does nothing"
    if augment.cutout >= min(height, width):
        yield f"a cutout of {augment.cutout} pixels leaves little or nothing of images of {height}x{width}"


def _whose(labels: list[str], count: int) -> str:
    if len(labels) == count and count > 1:
        return "all arms"
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more
