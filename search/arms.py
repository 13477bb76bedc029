"""What a plan is made of: arms, what is trained beside them, and trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blocks import Cost
from search.configuration import Configuration

if TYPE_CHECKING:
    from search.stopwatch import Timing


@dataclass(frozen=True)
class Arm:
    """One row of the tables.

    Attributes:
        arm: The identity of its configuration.
        levels: The label of every variable, by column; empty where a variable is not varied.
        status: ``run``, ``rejected`` (by a constraint, or because it can't be built), or ``duplicate``.
        match: ``none``, or the cost at which this arm is another's equal-cost twin.
        match_of: The arm that it is the twin of.
        twin: Of an arm that has one, the twin; itself where it is at equal cost as it stands.
        unmatched: Why there is no twin, where one was asked for.
        multiplier: What its widths were multiplied by.
        gap: The relative difference between its matched cost and the baseline's.
        tuned_of: The arm that this one is with a recipe of its own.
        latency: What it was measured to take for an answer, by the cost's name, in a study that asks for it.
    """

    arm: str
    label: str
    levels: dict[str, str]
    configuration: Configuration
    cost: Cost | None
    status: str = "run"
    reason: str = ""
    match: str = "none"
    match_of: str | None = None
    twin: str | None = None
    unmatched: str | None = None
    multiplier: float = 1.0
    gap: float | None = None
    tuned_of: str | None = None
    latency: Mapping[str, Timing] = field(default_factory=dict)

    def value(self, cost: str) -> float:
        """Returns what an arm that could be costed has of a cost, by its name; of a time, the median."""
        return self.latency[cost].median if cost in self.latency else float(getattr(self.cost, cost))

    @property
    def outside(self) -> bool:
        """Whether this is a baseline that breaks the study's own constraints: a reference, never the winner."""
        return self.status == "run" and bool(self.reason)


@dataclass(frozen=True)
class Derived:
    """A configuration that is trained beside the arms: an arm's, with a few values of the recipe changed.

    Attributes:
        arm: The identity of its configuration.
        of: The arm that it is made from.
        role: ``tune``, ``fidelity`` or ``random``: the phase that it is for.
        changes: The changed values by path; of what was drawn at random, the level of every variable.
        levels: The label of every variable, where they are not those of the arm that it is made from.
    """

    arm: str
    of: str
    role: str
    changes: dict[str, Any]
    configuration: Configuration
    cost: Cost
    levels: dict[str, str] | None = None


@dataclass(frozen=True)
class Trial:
    """One training run: an arm, a seed, a phase."""

    arm: str
    seed: int
    phase: str

    @property
    def name(self) -> str:
        """The trial's name in every table; the same in every session."""
        return f"{self.arm}-s{self.seed}"
