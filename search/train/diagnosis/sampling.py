"""How often diagnosis looks: seldom enough to cost under a hundredth of the training, or every time."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.012
"""The images that run through the network for diagnosis, over those it is trained on. Forward alone they cost about a
third of what training on them does, and what is measured of them as much again: under a hundredth of the time."""
FEWEST, MOST = 64, 256
"""Images of a sample. Of a unit that fires for 5% of all images, 64 find none in 4% of the cases, 256 never."""
LOOKS, STEPS = 5, 24
"""At most so many samples, and steps whose gradients are looked at, in a trial: it has a beginning, an end, and a few
points between, however long it is."""
EVERY = 16
"""One step of so many at most is looked at: what that takes, some ten small operations, is about a tenth of the
smallest networks' steps."""


@dataclass(frozen=True)
class Sampling:
    """When to look.

    Attributes:
        steps: Whose gradients and updates are measured, counted from 0.
        epochs: After which activations are; 0 is before the first.
        images: How many validation images for that.
    """

    steps: frozenset[int]
    epochs: frozenset[int]
    images: int


def sampling(mode: str, epochs: int, steps_per_epoch: int, batch_size: int, validation: int) -> Sampling:
    """Returns when to look at a trial of so many epochs.

    Args:
        mode: ``sampled``, or ``full``: every step, and every epoch.
        validation: How many validation images there are.
    """
    total = epochs * steps_per_epoch
    if mode == "full":
        return Sampling(frozenset(range(total)), frozenset(range(epochs + 1)), min(MOST, validation))
    affordable = int(SHARE * total * batch_size)
    images = min(max(affordable // 2, FEWEST), MOST, validation)
    looks = min(max(affordable // images, 1), LOOKS)
    last_first = (epochs, 0, *(round(epochs * part / (LOOKS - 1)) for part in range(1, LOOKS - 1)))
    return Sampling(_steps(total), frozenset(last_first[:looks]), images)


def _steps(total: int) -> frozenset[int]:
    """Returns half of the steps early, where trials go wrong, at powers of two; the others evenly over the trial."""
    count = min(STEPS, max(2, total // EVERY))
    early = [0, *(2**power for power in range(total.bit_length()) if 2**power < total)][: count // 2]
    even = (round((total - 1) * part / (count - count // 2)) for part in range(1, count - count // 2 + 1))
    return frozenset((*early, *even))
