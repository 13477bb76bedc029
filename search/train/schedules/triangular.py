"""Straight up and straight down, once or several times."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Count, Fraction, Number
from search.train.schedules import SCHEDULES, RisingScheduleSpec


@SCHEDULES.register
class Triangular(RisingScheduleSpec):
    """Up to the peak and down again in straight lines (Smith, arXiv:1506.01186)."""

    kind: Literal["triangular"] = "triangular"
    cycles: Count = 1
    """How often, in equal parts of the training."""
    peak_at: Annotated[Number, Field(gt=0, lt=1)] = 0.5
    """The share of a cycle at which the peak is reached."""
    start: Fraction = 0.0
    """The multiplier from which a cycle rises."""
    final: Fraction = 0.0
    """The multiplier to which it falls."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        place = progress * self.cycles % 1
        if place < self.peak_at:
            return self.start + (1 - self.start) * place / self.peak_at
        return self.final + (1 - self.final) * (1 - place) / (1 - self.peak_at)
