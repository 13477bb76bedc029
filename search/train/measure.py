"""How a network does on images, and which of them it gets right."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from search.train.feed import Feed, evaluation_batches
from search.train.tally import Score, Tally

EVALUATION_BATCH = {"cpu": 256, "cuda": 2048}


@torch.no_grad()
def measure(network: nn.Module, feed: Feed) -> tuple[Score, NDArray[np.bool_]]:
    """Returns how a network does on all images of a feed, and which of them it gets right."""
    network.eval()
    device = feed.pixels.device
    tally = Tally(device)
    correct = [
        tally.add(network(images), labels) for images, labels in evaluation_batches(feed, EVALUATION_BATCH[device.type])
    ]
    return tally.score(), torch.cat(correct).cpu().numpy()
