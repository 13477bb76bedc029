"""Up and down once."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Fraction, Number
from search.train.schedules import SCHEDULES, RisingScheduleSpec


@SCHEDULES.register
class OneCycle(RisingScheduleSpec):
    """Up to the peak and down to almost nothing, each along half a cosine (Smith and Topin, arXiv:1708.07120, as torch
    has it). The momentum stays as it is."""

    kind: Literal["one_cycle"] = "one_cycle"
    peak_at: Annotated[Number, Field(gt=0, lt=1)] = 0.3
    """The share of the training at which the peak is reached."""
    start: Fraction = 0.04
    """The multiplier of the first step."""
    final: Fraction = 0.000004
    """The multiplier that the last step comes near to."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        if progress < self.peak_at:
            return self.start + (1 - self.start) * (1 - math.cos(math.pi * progress / self.peak_at)) / 2
        fallen = (progress - self.peak_at) / (1 - self.peak_at)
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * fallen)) / 2
