"""What a search's proposer is told: what earlier runs know, and how every arm has come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from search.budget import epochs_of
from search.factors import Choice
from search.known import read_choice, values_of

if TYPE_CHECKING:
    from search.course import Course
    from search.designs.base import AdaptiveDesign, Proposer
    from search.plan import Plan

COSTS = ("macs", "params", "activations")

Entry = Mapping[str, Any]


class Feedback:
    """Tells a proposer of arms: each once when its first seeds have a score, and again when it has come further."""

    def __init__(self, plan: Plan, design: AdaptiveDesign, proposer: Proposer, course: Course) -> None:
        self._plan, self._proposer, self._course = plan, proposer, course
        self._seeds, self._stops = design.first_seeds, design.early_stopping is not None
        self._asked: dict[str, int] = {}
        self._known: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._told: dict[str, bool] = {}  # the arms that the proposer was told of, and whether they had a score

    def recall(self, entries: Iterable[Entry]) -> None:
        """Tells of what the record holds of earlier runs."""
        for entry in entries:
            for own in entry["arms"] if entry["event"] == "known" else ():
                choice = read_choice(self._plan, own["levels"])
                values = None if choice is None else values_of(self._plan, choice, own["val_accuracy"])
                if choice is not None and values is not None:
                    self._proposer.recall(choice, values)

    def admit(self, arm: str, values: Mapping[str, Any], memo: Mapping[str, Any], number: int | None = None) -> None:
        """Takes note of an arm.

        Args:
            values: Its choice as plain data: labels of levels, and the numbers of ranges.
            memo: What the proposer wants back with it.
            number: Of its proposal, where the proposer waits for how it comes out.
        """
        self._known[arm] = values, memo
        if number is not None:
            self._asked[arm] = number

    def choice(self, arm: str) -> Choice:
        """Returns the choice of an arm that was admitted."""
        values = self._known.get(arm, ({}, {}))[0]
        choice: Choice = {}
        for variable in self._plan.space.free:
            if variable.name in values:
                value = values[variable.name]
                labelled = {level.label: level for level in variable.levels}
                choice[variable.name] = variable.level(value) if variable.range else labelled[value]
        return choice

    def learn(self, arm: str) -> None:
        """Tells of an arm all of whose first seeds have a score, or how much further one has come."""
        if any(f"{arm}-s{seed}" not in self._course.ended for seed in self._seeds):
            return
        values = self._values(arm)
        if arm in self._told:
            if self._told[arm] and values is not None and self._stops:
                self._proposer.follow(self.choice(arm), values)
            return
        self._told[arm] = values is not None
        if arm in self._asked:
            self._proposer.tell(self._asked.pop(arm), values)
        else:
            self._proposer.remember(self.choice(arm), values, self._known.get(arm, ({}, {}))[1])

    def _values(self, arm: str) -> dict[str, float] | None:
        """Returns an arm's objectives: its mean score over seeds, and its costs; None if a seed has none."""
        rows = [self._course.ended[f"{arm}-s{seed}"] for seed in self._seeds]
        scored = ("completed", "paused", "stopped") if self._stops else ("completed",)
        if any(row["status"] not in scored for row in rows):
            return None
        own, share = self._plan.arms[arm], 1.0
        if rows[0]["status"] != "completed":
            share = epochs_of(rows[0]) / own.configuration.train.epochs
        costs = {name: own.value(name) for name in (*COSTS, *own.latency)}
        return {"val_accuracy": fmean(row["val_accuracy"] for row in rows), "share": share, **costs}
