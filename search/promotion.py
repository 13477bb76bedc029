"""Which arms of a search go on from a rung: those that are good enough there, as far as the budget can pay them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.arms import Trial
from search.budget import epochs_of

if TYPE_CHECKING:
    from search.course import Course
    from search.designs.base import AdaptiveDesign
    from search.plan import Plan
    from search.rungs import Rungs

Entry = Mapping[str, Any]


class Promotion:
    """Holds arms against each other at rungs, by the first of their seeds."""

    def __init__(self, plan: Plan, design: AdaptiveDesign, rungs: Rungs, course: Course) -> None:
        self._plan, self._rungs, self._course = plan, rungs, course
        self._seed, self._objectives = design.first_seeds[0], design.objective_names

    def until(self, trial: Trial) -> int | None:
        """Returns the rung at which a trial that starts now is to pause; None if it goes on to its end."""
        if trial.seed != self._seed:
            return None
        return self._rungs.after(epochs_of(self._course.ended.get(trial.name, {})))

    def paused(self, trial: Trial, entry: Entry) -> str:
        """Takes note of a trial that paused at a rung; returns why it is stopped there, nothing if it goes on."""
        rung = epochs_of(entry)
        going = self._hold_against(trial, rung, entry)
        if going is None:
            return self._rungs.why_not(rung)
        return "" if going else f"after epoch {rung} there was no budget left for it to go on"

    def completed(self, trial: Trial, entry: Entry) -> None:
        """Takes note of a trial's scores at all rungs; it has passed them before, unless it was trained by itself."""
        if trial.seed != self._seed:
            return
        for rung in self._rungs.epochs:
            if rung <= epochs_of(entry):
                self._hold_against(trial, rung, entry)

    def _hold_against(self, trial: Trial, rung: int, entry: Entry) -> bool | None:
        """Has all arms go on that are good enough now and that can be paid; returns whether this one does, None if it
        isn't good enough."""
        accuracy, own = entry["epochs"][rung - 1]["val_accuracy"], self._plan.arms[trial.arm]
        objectives = tuple(
            -accuracy if name == "val_accuracy" else math.log(own.value(name)) for name in self._objectives
        )
        going = {arm: self._go_on(arm, rung) for arm in self._rungs.reach(trial.arm, rung, objectives)}
        return going.get(trial.arm)

    def _go_on(self, arm: str, rung: int) -> bool:
        trial, own = Trial(arm, self._seed, "explore"), self._plan.arms[arm]
        if epochs_of(self._course.ended[trial.name]) > rung:
            return True
        price = self._course.ledger.price(own, rung, self._rungs.after(rung) or own.configuration.train.epochs)
        if arm != self._plan.baseline.arm and not self._course.ledger.fits(price):
            return False
        self._course.set_aside(trial, price)
        return True
