"""Learning-rate schedules, one file each. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

from pydantic import Field

from blocks.base import Number, Spec
from blocks.registry import Registry


class ScheduleSpec(Spec, ABC):
    """A schedule as data: a pure function of the step."""

    kind: str
    warmup_epochs: Annotated[Number, Field(ge=0)] = 0.0
    """Epochs over which the rate first rises linearly, from one step's share to the peak (Goyal et al.,
    arXiv:1706.02677); parts of an epoch are fine. The schedule proper takes up the steps that are left."""

    @abstractmethod
    def after_warmup(self, progress: float) -> float:
        """Returns the multiplier of the peak rate at a point from 0, the warm-up's end, to 1, the end of training."""

    def multiplier(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns what the peak learning rate is multiplied by at a step, counted from 0."""
        warmup = round(self.warmup_epochs * steps_per_epoch)
        if step < warmup:
            return (step + 1) / warmup
        return self.after_warmup((step - warmup) / (steps_per_epoch * epochs - warmup))


SCHEDULES: Registry[ScheduleSpec] = Registry("schedule", "search.train.schedules")
