"""Equal shares lost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Number
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Exponential(ScheduleSpec):
    """From the peak down to ``final``, each step losing the same share."""

    kind: Literal["exponential"] = "exponential"
    final: Annotated[Number, Field(gt=0, le=1)] = 0.01
    """The multiplier that the last step comes near to; above 0."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        left: float = self.final**progress
        return left
