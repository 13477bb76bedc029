"""Half a cosine, again and again."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Fraction, Number, Positive
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class CosineRestarts(ScheduleSpec):
    """From the peak down to ``final`` along half a cosine, and back at the peak at once: SGDR (Loshchilov and Hutter,
    arXiv:1608.03983)."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    first_epochs: Positive = 10.0
    """Epochs of the first cycle, after any warm-up (T_0)."""
    growth: Annotated[Number, Field(ge=1)] = 2.0
    """How many times as long as the one before each cycle is (T_mult)."""
    final: Fraction = 0.0
    """The multiplier that a cycle's last step comes near to."""

    def last_epoch(self) -> float:
        return self.warmup_epochs + self.first_epochs

    def after_warmup(self, progress: float, epoch: float) -> float:
        since, length = epoch - self.warmup_epochs, self.first_epochs
        while since >= length:
            since, length = since - length, length * self.growth
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * max(since, 0.0) / length)) / 2
