"""What every design has: seeds, and either a list of choices or a proposer that learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from blocks.base import Count, Natural, Number, Spec, Text
from blocks.registry import Registry
from search.budget import BudgetSpec
from search.factors import Choice, Factor
from search.rungs import EarlyStoppingSpec
from search.trial import VARIED

if TYPE_CHECKING:
    from search.arms import Arm
    from search.plan import Plan
    from search.space import Space

FIRST_CONFIRM_SEED = 1000
"""Confirm trials use seeds from here on, so that no design's seed is ever used twice."""

Seed = Annotated[Natural, Field(lt=FIRST_CONFIRM_SEED)]

Vary = Literal["split", "initialisation", "order", "augmentation"]
"""What a seed may decide: which images are for validation (the test split is always the same), the initial values, the
order of the images, and what is drawn in training steps (crops, flips, dropout)."""

MatchedCost = Literal["macs", "params", "activations", "out_channels"]
"""What a match may hold equal."""


class MatchSpec(Spec):
    """Gives every arm a twin of the baseline's cost, by one multiplier of widths or depths and a repair of integers.

    Attributes:
        cost: What is held equal. ``out_channels`` holds the residual stream's width.
        by: What is changed to hold it: the stages' ``width``, whose ratios move by 10% at most, or their ``depth``,
            whose ratios are kept as well as whole numbers of blocks can.
        tolerance: The largest relative gap that still counts as equal.
        multiple_of: Widths are multiples of this.
    """

    cost: MatchedCost = "macs"
    by: Literal["width", "depth"] = "width"
    tolerance: Annotated[Number, Field(gt=0, le=1)] = 0.05
    multiple_of: Count = 1

    @model_validator(mode="after")
    def _of_widths(self) -> Self:
        if self.by == "depth" and self.multiple_of != 1:
            raise ValueError("multiple_of is about widths, and this match changes depths: leave it out")
        return self


def _match(given: Any) -> Any:
    """Takes a bare cost as shorthand for a mapping with nothing but it."""
    return {"cost": given} if isinstance(given, str) else given


class DesignSpec(Spec):
    """How arms are chosen, and how many seeds (replicates) each gets.

    Attributes:
        combines: Whether an arm may combine levels that no one wrote down together. If not, an arm that can't be built
            is the user's mistake, not a row of the tables; and so are two levels that build the same network.
        only_off: Whether the only level of every factor is its ``off``.
        vary: What a seed decides. All arms of a seed share it, and what is not named is the same under every seed.
    """

    adaptive: ClassVar[bool] = False
    combines: ClassVar[bool] = False
    only_off: ClassVar[bool] = False
    kind: Text
    seeds: Annotated[Count, Field(le=FIRST_CONFIRM_SEED)] | Annotated[tuple[Seed, ...], Field(min_length=1)] = 1

    vary: Annotated[tuple[Vary, ...], Field(min_length=1)] = VARIED

    @field_validator("vary")
    @classmethod
    def _once(cls, vary: tuple[Vary, ...]) -> tuple[Vary, ...]:
        if len(set(vary)) < len(vary):
            raise ValueError("each is named once")
        return vary

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(seeds, tuple) and len(set(seeds)) < len(seeds):
            raise ValueError("a seed is given twice; replicates need seeds of their own")
        return seeds

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds: ``seeds: 3`` stands for 0, 1, 2."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def own_factors(self) -> dict[str, Factor]:
        """Returns the factors that the design brings itself, beside the study's."""
        return {}

    def check(self, plan: Plan) -> None:
        """Raises ``InputError`` where the design can't have the arms of this plan's space."""

    def called(self, choice: Choice, space: Space) -> str | None:
        """Returns what an arm is called where that says more than the list of its levels; None elsewhere."""
        return None


class ListedDesign(DesignSpec):
    """A design whose arms are known before anything is trained."""

    match: Annotated[
        MatchSpec | None, BeforeValidator(_match, json_schema_input_type=MatchSpec | MatchedCost | None)
    ] = None

    def choices(self, plan: Plan) -> Iterator[Choice]:
        """Yields a choice for every arm but the baseline, which is the empty choice; the plan admits each at once.

        What the design says of its arms as a whole goes into ``plan.facts``, and from there into arms.json.
        """
        raise TypeError(f"the design {self.kind} lists no choices")


@dataclass(frozen=True)
class Proposal:
    """A proposed arm.

    Attributes:
        arm: What the plan makes of it, where the proposer has looked.
        passed_over: How many others the proposer has looked at that can't run, by their status.
    """

    number: int
    choice: Choice
    arm: Arm | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)


class Proposer(Protocol):
    """Proposes arms one by one and learns from their scores."""

    def ask(self) -> Proposal:
        """Returns a proposal; it is answered by ``accept`` and later ``tell``, or by ``tell`` with None."""
        ...

    def accept(self, number: int) -> dict[str, Any]:
        """Takes note that a proposal will be tried; returns what it wants back with the arm after a restart."""
        ...

    def tell(self, number: int, values: Mapping[str, float] | None) -> None:
        """Takes a proposal's objectives by name; None if it was rejected, or gave no score.

        Beside the objectives there is ``share``: how much of its full length the arm was trained for. Where arms are
        stopped early, these are what it had reached at its first rung.
        """
        ...

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Takes what an arm that was told of has reached since, at a larger ``share``."""
        ...

    def recall(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Takes what an arm scored in an earlier run; it may still be proposed."""
        ...

    def remember(self, choice: Choice, values: Mapping[str, float] | None, memo: Mapping[str, Any]) -> None:
        """Takes an arm that was not proposed in this process: the baseline, or an earlier session's."""
        ...


class AdaptiveDesign(DesignSpec):
    """A design that chooses each arm in the light of those before it.

    Attributes:
        trials: The budget of the explore phase in training runs, the baseline's included.
        budget: The same in ``epochs``, ``macs`` of training or ``gpu_hours``, in place of ``trials``.
        early_stopping: Which arms are trained to their full length, decided on the way; without it all are.
        racing: The share of the budget that is kept to give more seeds, one by one, to those arms that may be on the
            front. Without it every arm has all of ``seeds``.
    """

    adaptive: ClassVar[bool] = True
    combines: ClassVar[bool] = True
    trials: Count | None = None
    budget: BudgetSpec | None = None
    early_stopping: EarlyStoppingSpec | None = None
    racing: Annotated[Number, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_sample(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "spaces" in given:
            raise ValueError(
                "arms that are chosen in the light of others are no random sample, so they can't tell spaces apart: "
                "use design: population"
            )
        return given

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """The seeds that every arm has."""
        return self.seed_list if self.racing is None else self.seed_list[:1]

    @property
    def objective_names(self) -> tuple[str, ...]:
        """What is traded off."""
        return ("val_accuracy",)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.trials is None) == (self.budget is None):
            many = "not both" if self.budget is not None else "and has neither"
            raise ValueError(f"a search has trials, or a budget of epochs, macs or gpu_hours, {many}")
        return self

    @model_validator(mode="after")
    def _seeds_to_race_for(self) -> Self:
        seeds = len(self.seed_list)
        if self.racing is not None and seeds == 1:
            raise ValueError("racing gives arms more seeds, and seeds is 1: at most so many an arm may have")
        if self.early_stopping is not None and self.racing is None and seeds > 1:
            raise ValueError(
                "early_stopping decides by an arm's first seed, and further seeds are for the arms that are left: add "
                "racing: 0.25, or leave out seeds"
            )
        return self

    @model_validator(mode="after")
    def _whole_arms(self) -> Self:
        seeds = len(self.first_seeds)
        if self.trials is not None and (self.trials < 2 * seeds or self.trials % seeds):
            if seeds == 1:
                raise ValueError(f"trials is {self.trials}, and the baseline and one arm take 2")
            fitting = f"a multiple of {seeds}, {2 * seeds} or more"
            raise ValueError(f"trials is {self.trials}, but with {seeds} seeds an arm it is {fitting}")
        return self

    def proposer(self, plan: Plan) -> Proposer:
        """Returns a fresh proposer of arms of a plan's space."""
        raise TypeError(f"the design {self.kind} has no proposer")


DESIGNS: Registry[Any] = Registry("design", "search.designs")
