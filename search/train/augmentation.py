"""Everything random that happens to a trial's training images: drawn for an epoch at once, done wherever they are.

Each kind of change draws from a stream of its own, so that none depends on whether another is switched on: arms that
share a seed share the draws of all that they have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from search.train import augment, erasing, jitter, mixing
from search.train.augmentations import Augment
from search.train.batch import Batch
from search.train.chance import Seeds, stream
from search.train.programme import Programme

MIXING = ("partners", "which", "mixup", "cutmix", "box")
ERASING = ("erasing", "cutout")


class Augmentation:
    """The random changes of a trial, epoch after epoch.

    Args:
        spec: What is switched on.
        seed: Of the trial.
        images: How many the training split has.
        size: Their height and width.
    """

    def __init__(self, spec: Augment, seed: int | Seeds, images: int, size: tuple[int, int]) -> None:
        self.spec = spec
        self._size = size
        self._crops_and_flips = stream(seed, "augmentation")
        self._others = {name: stream(seed, f"augmentation {name}") for name in ("policy", "jitter", *ERASING, *MIXING)}
        self._turned = torch.rand(images, generator=stream(seed, "augmentation sides")) < 0.5
        self._epoch = 0

    def state(self) -> dict[str, Any]:
        """Returns where each stream of draws is."""
        streams = {"": self._crops_and_flips, **self._others}
        return {"epoch": self._epoch, "streams": {name: each.get_state() for name, each in streams.items()}}

    def put_back(self, state: dict[str, Any]) -> None:
        """Brings each stream to where it was."""
        self._epoch = state["epoch"]
        for name, each in {"": self._crops_and_flips, **self._others}.items():
            each.set_state(state["streams"][name])

    def epoch(self, positions: Tensor, batch: int) -> EpochDraws:
        """Draws for the next epoch.

        Args:
            positions: int64, on the CPU: which images, in the order in which they come; whole batches.
            batch: How many images each has.
        """
        spec, count, others = self.spec, len(positions), self._others
        moves = augment.draw(spec, count, self._crops_and_flips)
        if spec.flip == "alternating":
            moves = augment.Draws(moves.down, moves.right, self._turned[positions] ^ (self._epoch % 2 == 1))
        self._epoch += 1
        programmes = (
            spec.policy.draw(count, self._size, others["policy"]),
            jitter.draw(spec.color_jitter, count, others["jitter"]),
        )
        return EpochDraws(
            spec,
            moves,
            [programme for programme in programmes if programme is not None],
            erasing.draw(spec, count, self._size, others),
            mixing.draw(spec, count, batch, self._size, others),
        )


@dataclass(frozen=True)
class EpochDraws:
    """What happens to each image of an epoch."""

    spec: Augment
    moves: augment.Draws
    programmes: list[Programme]
    erased: list[Tensor]
    mixing: mixing.Mixing | None

    def batch(
        self, pixels: Tensor, labels: Tensor, normalised: Callable[[Tensor], Tensor], start: int, stop: int
    ) -> Batch:
        """Returns the images ``start`` to ``stop`` of the epoch as they are trained on.

        Args:
            pixels: uint8, N C H W: the chosen images as they are stored.
            labels: int64, N.
            normalised: Makes floats of pixels.
        """
        device = pixels.device
        pixels = augment.apply(self.spec, pixels, self.moves.part(start, stop, device))
        for programme in self.programmes:
            pixels = programme.run(pixels, start, stop)
        images = normalised(pixels)
        for boxes in self.erased:
            images = erasing.erase(images, boxes[:, start:stop].to(device, non_blocking=True))
        if self.mixing is None:
            return Batch(images, labels)
        images, others, shares = self.mixing.mix(images, labels, start, stop)
        return Batch(images, labels, others, shares)
