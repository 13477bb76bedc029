"""What a study does beside exploring, as the study file says it: tuning, a check of short runs, confirmation, power."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from blocks.base import Count, Fraction, Positive, Spec, Text
from search.designs.base import FIRST_CONFIRM_SEED
from search.factors import Range

FIRST_TUNE_SEED, FIRST_FIDELITY_SEED, RANDOM_SEED = 1_000_000, 2_000_000, 3_000_000
"""Trials that tune use the first seed, those that hold short runs against full ones the seeds from the second on, those
of the random search that a search is compared with the third."""

FEWEST_RANKED = 5
"""Of fewer arms the report gives no agreement of two rankings."""

ConfirmSeeds = Annotated[Count, Field(le=FIRST_TUNE_SEED - FIRST_CONFIRM_SEED)]


class BestUnder(Spec):
    """Limits of a cost, under each of which the best confirmed arm is kept as a model beside the winner.

    Attributes:
        cost: Of one image; or milliseconds of a batch, measured on this machine.
        limits: At most so much of it: ``[5e6, 10e6, 20e6]``.
    """

    cost: Literal["macs", "params", "activations", "latency_1", "latency_64"] = "macs"
    limits: Annotated[tuple[Positive, ...], Field(min_length=1)]


class ConfirmSpec(Spec):
    """The confirm phase: the best arms and the baseline once more, on fresh seeds, at full length.

    Attributes:
        finalists: How many arms are taken there, beside the baseline.
        seeds: How many fresh seeds each gets; by default as many as the design has, and at least 3.
        epochs: The full length, if the study explored at another.
        best_under: Of which cost bands the best explored arm becomes a finalist too, and the best confirmed arm a
            model in ``best_under/``.
    """

    finalists: Count = 3
    seeds: ConfirmSeeds | None = None
    epochs: Count | None = None
    best_under: BestUnder | None = None


class TuneSpec(Spec):
    """A fair recipe for each arm: every arm looks for its own best values, at equal budget, on validation.

    Beside ``trials``, every key is a path into the recipe with the range to look in:
    ``{train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 8}``.

    Attributes:
        trials: Training runs an arm, its own value's included.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Range] = Field(init=False)

    trials: Annotated[Count, Field(ge=2)] = 8

    @model_validator(mode="before")
    @classmethod
    def _name_the_allowed_fields(cls, given: Any) -> Any:
        """Lets every key through: what is no field is a path."""
        return given

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.paths:
            raise ValueError("names no path to tune, such as train.optimizer.lr: {low: 0.01, high: 1, log: true}")
        return self

    @property
    def paths(self) -> dict[str, Range]:
        """The range of every path that is tuned."""
        return dict(self.__pydantic_extra__ or {})


class FidelitySpec(Spec):
    """Whether short runs rank arms as full ones do: a sample of arms, spread over their cost, is trained both ways.

    Attributes:
        arms: How many are sampled, 5 at least: of fewer no interval of their agreement can be told.
        epochs: The short length and the full one.
        seeds: How many seeds each gets at each length.
    """

    arms: Annotated[Count, Field(json_schema_extra={"minimum": FEWEST_RANKED})] = 12
    epochs: tuple[Count, Count]
    seeds: Annotated[Count, Field(le=1000)] = 1

    @field_validator("arms")
    @classmethod
    def _enough_to_tell(cls, arms: int) -> int:
        if arms < FEWEST_RANKED:
            raise ValueError(f"whether two rankings agree can't be told of {arms} arms: {FEWEST_RANKED} at least")
        return arms

    @model_validator(mode="after")
    def _short_then_full(self) -> Self:
        if self.epochs[0] >= self.epochs[1]:
            raise ValueError(f"epochs are the short length and then the full one, not {list(self.epochs)}")
        return self


class PowerSpec(Spec):
    """What the study wants to be able to see, for ``--dry-run``.

    Attributes:
        effect: The difference of accuracy (a fraction: 0.01 is a point) that it wants to detect.
        sd: A guess of the SD of a paired difference between two arms, in the same unit.
        run: The directory of an earlier run that tells this SD.
    """

    effect: Annotated[Fraction, Field(gt=0)] | None = None
    sd: Annotated[Positive, Field(le=1)] | None = None
    run: Text | None = None
