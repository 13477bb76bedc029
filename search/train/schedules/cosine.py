"""Half a cosine."""

from __future__ import annotations

import math
from typing import Literal

from blocks.base import Fraction
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Cosine(ScheduleSpec):
    """From the peak down to ``final`` along half a cosine (Loshchilov and Hutter, arXiv:1608.03983, one cycle)."""

    kind: Literal["cosine"] = "cosine"
    final: Fraction = 0.0
    """The multiplier that the last step comes near to."""

    def after_warmup(self, progress: float, epoch: float) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2
