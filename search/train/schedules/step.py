"""Sudden drops."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Number, Positive
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Step(ScheduleSpec):
    """The rate is multiplied by ``factor`` at each point of ``at`` (He et al., arXiv:1512.03385, section 4.2)."""

    kind: Literal["step"] = "step"
    at: tuple[Annotated[Number, Field(gt=0, lt=1)], ...] = (0.5, 0.75)
    """The drops, as shares of the training after warm-up: neither epochs nor batches, so that they move along
    when the epochs change."""
    factor: Positive = 0.1
    """What each drop multiplies the rate by."""

    def after_warmup(self, progress: float) -> float:
        return self.factor ** sum(progress >= point for point in self.at)
