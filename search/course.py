"""The trials of a search: which wait, which run, how far the others have come, and what all of them cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.arms import Trial
from search.budget import Ledger, ledger_of

if TYPE_CHECKING:
    from search.arms import Arm
    from search.designs.base import AdaptiveDesign
    from search.plan import Plan

Entry = Mapping[str, Any]


class Course:
    """How a search has gone so far.

    Attributes:
        ledger: What was spent, and what is set aside.
        begun: The seeds that each arm has, in the order in which arms were taken.
        waiting: Trials that are to start, or to go on, by their names.
        flying: The names of those that run.
        ended: The last entry of every trial that paused or ended, by its name.

    Args:
        first_rung: The epochs after which arms may be stopped first; None if none is.
    """

    def __init__(self, plan: Plan, design: AdaptiveDesign, first_rung: int | None) -> None:
        self._plan, self._seeds, self._first_rung = plan, design.first_seeds, first_rung
        self.ledger: Ledger = ledger_of(plan, design)
        self.begun: dict[str, set[int]] = {}
        self.waiting: dict[str, Trial] = {}
        self.flying: set[str] = set()
        self.ended: dict[str, Entry] = {}

    @property
    def count(self) -> int:
        """How many trials there are."""
        return sum(map(len, self.begun.values()))

    @property
    def budget(self) -> dict[str, float]:
        """The limit by its currency."""
        return {self.ledger.currency: self.ledger.limit}

    def least(self) -> float:
        """Returns what any new arm costs at least."""
        return self.price(self._plan.baseline) if self.ledger.currency in ("trials", "epochs") else 0.0

    def price(self, arm: Arm) -> float:
        """Returns what a new arm costs: as far as its first rung, or to its end."""
        end = self._first_rung or arm.configuration.train.epochs
        return len(self._seeds) * self.ledger.price(arm, 0, end)

    def whole_price(self, arm: str) -> float:
        """Returns what one more seed of an arm costs, to its end."""
        own = self._plan.arms[arm]
        return self.ledger.price(own, 0, own.configuration.train.epochs)

    def take(self, arm: Arm) -> None:
        """Has an arm's first seeds wait; of the baseline, which is never stopped, all that it costs is set aside."""
        self.begun[arm.arm] = set(self._seeds)
        whole = arm.arm == self._plan.baseline.arm
        price = self.whole_price(arm.arm) if whole else self.price(arm) / len(self._seeds)
        for seed in self._seeds:
            self.set_aside(Trial(arm.arm, seed, "explore"), price)

    def replicate(self, arm: str, seed: int) -> None:
        """Has one more seed of an arm wait."""
        self.begun[arm].add(seed)
        self.set_aside(Trial(arm, seed, "explore"), self.whole_price(arm))

    def set_aside(self, trial: Trial, price: float) -> None:
        """Has a trial wait, and keeps what it is expected to cost."""
        self.ledger.set_aside(trial, price)
        self.waiting[trial.name] = trial

    def start(self) -> Trial:
        """Returns the trial that has waited longest, which runs from now on."""
        name = next(iter(self.waiting))
        self.flying.add(name)
        return self.waiting.pop(name)

    def took(self, trial: Trial, entry: Entry) -> None:
        """Takes note of how far a trial has come, whether it has ended or not."""
        self.flying.discard(trial.name)
        self.waiting.pop(trial.name, None)
        self.ended[trial.name] = entry
        self.ledger.settle(trial, entry)
