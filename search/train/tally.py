"""Losses and accuracies, summed on the device, so that nothing waits for it until an epoch is over."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

TOP5_FROM = 10
"""From how many classes on the five likeliest are looked at: below, chance alone gets most of them right."""


@dataclass(frozen=True)
class Score:
    """Means over images: cross-entropy in nats, and fractions from 0 to 1; ``top5`` is None below ten classes."""

    loss: float
    accuracy: float
    top5: float | None


class Tally:
    """Sums over images, so that batches of any size weigh by what is in them."""

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(3, dtype=torch.float64, device=device)  # loss, correct, among the five likeliest
        self._images = 0
        self._classes = 0

    @torch.no_grad()
    def add(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Counts images in: logits N K, labels N. Returns which are correct: bool, N."""
        logits = logits.float()
        self._images += len(labels)
        self._classes = logits.shape[1]
        # argmax, not a count of larger logits: where all are equal, or none is a number, that would call it correct
        correct = logits.argmax(1) == labels
        self._sums[0] += functional.cross_entropy(logits, labels, reduction="sum")
        self._sums[1] += correct.sum()
        if self._classes >= TOP5_FROM:
            self._sums[2] += (logits.topk(5).indices == labels[:, None]).sum()
        return correct

    def score(self) -> Score:
        """Returns the means; here the host waits for the device."""
        loss, correct, top5 = (self._sums / self._images).tolist()
        return Score(loss, correct, top5 if self._classes >= TOP5_FROM else None)
