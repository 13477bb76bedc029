"""Learning-rate schedules, one file each. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Fraction, Number, Spec
from blocks.registry import Registry


class ScheduleSpec(Spec, ABC):
    """A schedule as data: a pure function of the step."""

    kind: str
    warmup_epochs: Annotated[Number, Field(ge=0)] = 0.0
    """Epochs of warm-up before the schedule proper, which takes up the steps that are left; parts of an epoch are
    fine."""
    warmup_start: Fraction = 0.0
    """The share of the peak rate from which a warm-up rises. 0 rises from one step's share; 1/k is the gradual warm-up
    of Goyal et al. (arXiv:1706.02677, section 2.2) for k times the usual batch."""
    warmup: Literal["linear", "constant"] = "linear"
    """``linear`` rises step by step to the peak; ``constant`` stays at ``warmup_start`` and then jumps (He et al.,
    arXiv:1512.03385, section 4.2)."""

    @model_validator(mode="after")
    def _constant_needs_a_rate(self) -> Self:
        if self.warmup == "constant" and self.warmup_epochs and not self.warmup_start:
            raise ValueError("a constant warm-up at a rate of 0 learns nothing: give warmup_start")
        return self

    @abstractmethod
    def after_warmup(self, progress: float, epoch: float) -> float:
        """Returns the multiplier of the peak rate.

        Args:
            progress: From 0, the warm-up's end, to 1, the end of training.
            epoch: Epochs since training began, warm-up included, counted from 0.
        """

    def last_epoch(self) -> float:
        """Returns the last epoch at which something is to happen: training must be at least so long."""
        return self.warmup_epochs

    def multiplier(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns what the peak learning rate is multiplied by at a step, counted from 0."""
        warmup = round(self.warmup_epochs * steps_per_epoch)
        if step < warmup:
            rise = (step + 1) / warmup if self.warmup == "linear" else 0.0
            return self.warmup_start + (1 - self.warmup_start) * rise
        return self.after_warmup((step - warmup) / (steps_per_epoch * epochs - warmup), step / steps_per_epoch)

    def content(self) -> dict[str, Any]:
        """Returns plain data without the later fields that are at their defaults."""
        later = {"warmup_start": 0, "warmup": "linear"}
        return {name: value for name, value in self.plain().items() if value != later.get(name)}


class RisingScheduleSpec(ScheduleSpec):
    """A schedule that rises by itself, and takes no warm-up before."""

    @model_validator(mode="after")
    def _rises_by_itself(self) -> Self:
        if self.warmup_epochs:
            raise ValueError(f"{self.kind} rises by itself: leave warmup_epochs out, and set its own start")
        return self


SCHEDULES: Registry[ScheduleSpec] = Registry("schedule", "search.train.schedules")
