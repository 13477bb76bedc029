"""Noticing that a loss is no longer a finite number."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor


class Diverged(Exception):
    """A loss was not finite; the message is one sentence that says where."""


class LossWatch:
    """Looks at the loss of training steps.

    On a CPU every step is looked at before it changes a weight. On a GPU, where looking means waiting, every eighth
    loss is copied to the host on the side and looked at once the copy has arrived: a loss that is not finite makes
    the weights so too, and stays; the epoch's own figures are looked at in any case.
    """

    EVERY = 8

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._on_their_way: deque[tuple[int, Tensor, torch.cuda.Event]] = deque()

    def look(self, loss: Tensor, step: int) -> None:
        """Looks at the loss of a step, or at those of earlier steps that have arrived.

        Raises:
            Diverged: If one is not finite.
        """
        if self._device.type == "cpu":
            require_finite(loss.item(), f"the training loss at step {step + 1}")
            return
        if step % self.EVERY == 0:
            host = torch.empty((), pin_memory=True)
            host.copy_(loss.detach(), non_blocking=True)
            arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrival.record()
            self._on_their_way.append((step, host, arrival))
        while self._on_their_way and self._on_their_way[0][2].query():  # type: ignore[no-untyped-call]
            earlier, host, _ = self._on_their_way.popleft()
            require_finite(host.item(), f"the training loss at step {earlier + 1}")


def require_finite(value: float, name: str) -> None:
    """Raises ``Diverged`` with a sentence if the value is infinite or not a number."""
    if not math.isfinite(value):
        raise Diverged(f"{name} is {'not a number' if math.isnan(value) else 'infinite'}")
