"""A straight line down."""

from __future__ import annotations

from typing import Literal

from blocks.base import Fraction
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Linear(ScheduleSpec):
    """From the peak down to ``final`` in equal steps."""

    kind: Literal["linear"] = "linear"
    final: Fraction = 0.0
    """The multiplier that the last step comes near to."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        return 1 - (1 - self.final) * progress
