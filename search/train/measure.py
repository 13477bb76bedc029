"""How a network does on images, and which of them it gets right."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.train.feed import Feed, evaluation_batches
from search.train.precision import autocast
from search.train.tally import Score, Tally

EVALUATION_BATCH = {"cpu": 256, "cuda": 2048}


@torch.inference_mode()
def measure(
    network: nn.Module, feed: Feed, precision: str = "float32", *, flip: bool = False
) -> tuple[Score, NDArray[np.bool_]]:
    """Returns how a network does on all images of a feed, and which of them it gets right.

    Blocks that were compiled for training are run as they were written: evaluation is too short to compile for.
    """
    network.eval()
    device = feed.device
    tally = Tally(device)
    with autocast(precision, device), torch.compiler.set_stance("force_eager"):
        correct = [
            tally.add(answers(network, images, flip), labels)
            for images, labels in evaluation_batches(feed, EVALUATION_BATCH[device.type])
        ]
    return tally.score(), torch.cat(correct).cpu().numpy()


def answers(network: nn.Module, images: Tensor, flip: bool) -> Tensor:
    """Returns a network's logits; with ``flip`` the mean of those of images as they are and mirrored."""
    logits: Tensor = network(images)
    return (logits + network(images.flip(3))) / 2 if flip else logits
