"""Taking branches out of a trained network: what each residual block is worth, by the accuracy without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from blocks.modules import ResidualSum
from blocks.network import Network
from search.train.feed import Feed
from search.train.precision import autocast

MOST_IMAGES = 2048
"""Of the validation split, evenly spread: one image is then a twentieth of a point, and a network of 54 blocks takes
about as long as three epochs of CIFAR-10's validation."""
BATCH = 256


@dataclass(frozen=True)
class Lesions:
    """Accuracies, from 0 to 1, on some validation images.

    Attributes:
        images: How many.
        accuracy: Of the whole network.
        blocks: Of the network without the branches of a block, by its name, ``stages.0.1``. Blocks without a shortcut
            would let nothing through, and are not among them.
    """

    images: int
    accuracy: float
    blocks: dict[str, float]


@torch.inference_mode()
def lesions(network: Network, feed: Feed, precision: str = "float32") -> Lesions:
    """Measures a network as it is, and with each block in turn reduced to its shortcut; images as they are, unflipped.

    Blocks before the one that is reduced are run once for all: half of the work of an evaluation a block.
    (Veit et al. 2016, https://arxiv.org/abs/1605.06431, figure 3.)

    Args:
        network: Trained; it is left as it was, in eval mode.
        feed: The validation split.
        precision: That it was trained in.
    """
    network.eval()
    count = min(MOST_IMAGES, len(feed.labels))
    chosen = torch.linspace(0, len(feed.labels) - 1, count, device=feed.device).round().long()
    right: dict[str, Tensor] = {}
    with autocast(precision, feed.device):
        for some in torch.split(chosen, BATCH):
            for name, logits in _logits(network, feed.normalised(feed.pixels[some])):
                found = (logits.argmax(1) == feed.labels[some]).sum()
                right[name] = right[name] + found if name in right else found
    shares = {name: int(found) / count for name, found in right.items()}
    return Lesions(count, shares.pop(""), shares)


def _logits(network: Network, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yields logits without each block, by its name, and at last those of the whole network, under no name."""
    maps = network.stem(images)
    blocks = network.blocks()
    for index, ((stage, number), block) in enumerate(blocks):
        if any(inner.shortcut is not None for inner in _sums(block)):
            with without_branches(block):
                left = block(maps)
            for _, later in blocks[index + 1 :]:
                left = later(left)
            yield f"stages.{stage}.{number}", network.head(left)
        maps = block(maps)
    yield "", network.head(maps)


@contextmanager
def without_branches(block: nn.Module) -> Iterator[None]:
    """Makes every residual sum of a block, itself included, give its shortcut alone."""
    sums = [inner for inner in _sums(block) if inner.shortcut is not None]
    for inner in sums:
        inner.__dict__["forward"] = partial(_shortcut_alone, inner)  # beside the class's own, which stays as it is
    try:
        yield
    finally:
        for inner in sums:
            del inner.__dict__["forward"]


def _sums(block: nn.Module) -> list[ResidualSum]:
    return [inner for inner in block.modules() if isinstance(inner, ResidualSum)]


def _shortcut_alone(whole: ResidualSum, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
    assert whole.shortcut is not None
    ready = whole.before(x) if whole.shared and whole.before is not None else x
    alone: Tensor = whole.activation(whole.shortcut(ready))
    return alone
