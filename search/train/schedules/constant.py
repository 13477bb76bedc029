"""No change."""

from __future__ import annotations

from typing import Literal

from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Constant(ScheduleSpec):
    """The peak rate throughout, after any warm-up."""

    kind: Literal["constant"] = "constant"

    def after_warmup(self, progress: float, epoch: float) -> float:
        return 1.0
