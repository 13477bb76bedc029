"""What the loss of each step tells: whether it spiked, left its start for good, or never moved."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

WINDOW_IMAGES = 128
"""Losses are averaged over at least so many images, so that a batch of 2 isn't judged by two images."""
BEFORE, SIGMAS, RISE = 8, 4.0, 0.25
"""A spike stands out of the 8 windows before it by 4 of their deviations (in noise: one window in 10,000), and by a
quarter of what guessing costs: late in a trial losses are so small that multiples of them mean nothing."""
BACK = 1.05
"""Within a twentieth of its start a loss has come back to it."""


def smooth(losses: Sequence[float], batch_size: int) -> list[float]:
    """Returns the mean loss of every step and those just before it, over ``WINDOW_IMAGES`` images or one batch."""
    width = max(1, WINDOW_IMAGES // batch_size)
    sums = [0.0, *accumulate(losses)]
    return [(sums[end] - sums[max(0, end - width)]) / min(end, width) for end in range(1, len(sums))]


def spikes(losses: Sequence[float], batch_size: int, chance: float) -> list[int]:
    """Returns the steps (from 1) at which the loss rose suddenly; neighbouring ones count once.

    Args:
        chance: The loss of guessing, in nats.
    """
    width = max(1, WINDOW_IMAGES // batch_size)
    count = len(losses) // width
    if count <= BEFORE:
        return []
    windows = np.asarray(losses[: count * width], dtype=float).reshape(count, width).mean(1)
    before = np.lib.stride_tricks.sliding_window_view(windows, BEFORE)[:-1]
    with np.errstate(invalid="ignore"):  # a loss that is infinite has no deviation, and is none
        bound = before.mean(1) + np.maximum(SIGMAS * before.std(1), RISE * chance)
        found = (np.flatnonzero(windows[BEFORE:] > bound) + BEFORE).tolist()
    return [index * width + 1 for last, index in zip([-2, *found], found, strict=False) if index > last + 1]


def left_for_good(losses: Sequence[float], batch_size: int) -> int | None:
    """Returns the step (from 1) from which on the loss was above its start, to the end; None if it came back.

    A loss that was below its start for more than half of the trial has been somewhere before it left.
    """
    smoothed = smooth(losses, batch_size)
    last = max((index for index, loss in enumerate(smoothed) if loss <= BACK * smoothed[0]), default=-1)
    return last + 2 if last + 1 < len(losses) / 2 else None


def jump(losses: Sequence[float], batch_size: int) -> tuple[int, float]:
    """Returns the step (from 1) of the highest loss, and that loss over the first."""
    smoothed = smooth(losses, batch_size)
    highest = max(range(len(smoothed)), key=smoothed.__getitem__)
    return highest + 1, smoothed[highest] / max(smoothed[0], 1e-9)
