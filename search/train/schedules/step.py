"""Sudden drops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Number, Positive
from search.train.schedules import SCHEDULES, ScheduleSpec


@SCHEDULES.register
class Step(ScheduleSpec):
    """The rate is multiplied by ``factor`` at each drop (He et al., arXiv:1512.03385, section 4.2)."""

    kind: Literal["step"] = "step"
    at: tuple[Annotated[Number, Field(gt=0)], ...] = (0.5, 0.75)
    """The drops, as shares of the training after warm-up: neither epochs nor batches, so that they move along
    when the epochs change."""
    at_epochs: tuple[Annotated[Number, Field(gt=0)], ...] = ()
    """The drops in epochs instead, counted from the start of training, warm-up included; not in batches."""
    factor: Positive = 0.1
    """What each drop multiplies the rate by."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_the_other(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("at_epochs") and "at" not in given:
            return {**given, "at": ()}
        return given

    @model_validator(mode="after")
    def _clear(self) -> Self:
        if self.at and self.at_epochs:
            raise ValueError("the drops stand under 'at', as shares of the training, or under 'at_epochs': not both")
        for point in self.at:
            if point >= 1:
                raise ValueError(
                    f"a drop at {point:g}: 'at' takes shares of the training, between 0 and 1; drops in epochs stand "
                    "under 'at_epochs'"
                )
        return self

    def last_epoch(self) -> float:
        return max(self.warmup_epochs, *self.at_epochs, 0.0)

    def after_warmup(self, progress: float, epoch: float) -> float:
        drops = sum(progress >= point for point in self.at) + sum(epoch >= point for point in self.at_epochs)
        return self.factor**drops

    def content(self) -> dict[str, Any]:
        return {name: value for name, value in super().content().items() if name != "at_epochs" or value}
