"""What may look at a trial while it trains, and where it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from search.train.loop import Trial
    from search.train.outcome import Epoch
    from search.train.step import Step


class Observer(Protocol):
    """Looks, and changes nothing: with and without observers a trial gives the same numbers.

    On a GPU it must not wait for the device either, except in ``after_epoch``.
    """

    def after_backward(self, step: Step, loss: Tensor) -> None:
        """The gradients of step ``step.number`` (counted from 0) are there, at true size, before they are clipped.

        Args:
            loss: The batch's mean loss, detached, on the device.
        """
        ...

    def after_step(self, step: Step) -> None:
        """The weights have changed; ``step.number`` steps were taken."""
        ...

    def after_epoch(self, trial: Trial, epoch: Epoch) -> None:
        """An epoch was trained and validated."""
        ...
