"""A power of what is left."""

from __future__ import annotations

from typing import Literal

from blocks.base import Fraction, Positive
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Polynomial(ScheduleSpec):
    """From the peak down to ``final`` along (1 - progress) ** power (You et al., arXiv:1708.03888)."""

    kind: Literal["polynomial"] = "polynomial"
    power: Positive = 2.0
    """1 is a straight line; more falls faster at first."""
    final: Fraction = 0.0
    """The multiplier that the last step comes near to."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        left: float = (1 - progress) ** self.power
        return self.final + (1 - self.final) * left
