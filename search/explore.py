"""What to run next: the trials of a listed design in order, or those that a search proposes as scores come in."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Protocol

from search.arms import Arm, Trial
from search.designs.base import AdaptiveDesign, Proposal
from search.draw import draw
from search.factors import Choice
from search.plan import Plan
from search.record import Record

STUCK = 10
"""After so many proposals in a row that can't run, arms are drawn at random instead."""

GIVE_UP = 1000
"""After so many draws that can't run either, the space counts as exhausted."""


class Queue(Protocol):
    """Where the trials of a phase come from."""

    def next(self) -> Trial | None:
        """Returns a trial to start now, or None if there is none for now."""
        ...

    def finished(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        """Learns how a trial ended."""
        ...

    @property
    def total(self) -> int:
        """How many trials the phase has in all, as far as is known."""
        ...

    @property
    def already(self) -> int:
        """How many of them an earlier session finished."""
        ...

    @property
    def planned(self) -> dict[str, Any]:
        """What the record keeps of the plan: arms and seeds, and how many trials where not all arms are known yet."""
        ...


@dataclass
class Listed:
    """Trials known beforehand, less those that are finished."""

    trials: list[Trial]
    done: set[str]
    _waiting: deque[Trial] = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = deque(trial for trial in self.trials if trial.name not in self.done)

    def next(self) -> Trial | None:
        return self._waiting.popleft() if self._waiting else None

    def finished(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        """A list learns nothing."""

    @property
    def total(self) -> int:
        return len(self.trials)

    @property
    def already(self) -> int:
        return sum(trial.name in self.done for trial in self.trials)

    @property
    def planned(self) -> dict[str, Any]:
        arms, seeds = (dict.fromkeys(getattr(trial, name) for trial in self.trials) for name in ("arm", "seed"))
        return {"arms": list(arms), "seeds": list(seeds)}


class Proposed:
    """The trials of a search: every proposed arm that can run, with each of the design's seeds.

    Rejected and duplicate proposals cost no trial; the proposer is told and asked again. The record keeps every arm
    that runs, so a later session goes on from the same history.
    """

    def __init__(self, plan: Plan, record: Record, finished: Mapping[str, Mapping[str, Any]]) -> None:
        design = plan.study.spec.design
        assert isinstance(design, AdaptiveDesign)
        self._plan, self._record, self._finished = plan, record, dict(finished)
        self._arms_wanted = max(1, design.trials // len(plan.seeds))
        self._total = self._arms_wanted * len(plan.seeds)
        self._proposer = design.proposer(plan)
        self._asked: dict[str, int] = {}
        self._restored: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._waiting: deque[Trial] = deque()
        self._arms = 0
        self.exhausted = False
        self._passed_over: dict[str, int] = {}
        self._take(plan.baseline)
        self._restore()
        self.already = self._arms * len(plan.seeds) - len(self._waiting)

    @property
    def total(self) -> int:
        return self._arms * len(self._plan.seeds) if self.exhausted else self._total

    @property
    def planned(self) -> dict[str, Any]:
        return {"arms": [self._plan.baseline.arm], "seeds": list(self._plan.seeds), "trials": self._total}

    def next(self) -> Trial | None:
        if not self._waiting and self._arms < self._arms_wanted and not self.exhausted:
            self._propose()
        return self._waiting.popleft() if self._waiting else None

    def finished(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        self._finished[trial.name] = entry
        arm = trial.arm
        if any(f"{arm}-s{seed}" not in self._finished for seed in self._plan.seeds):
            return
        if arm in self._asked:
            self._proposer.tell(self._asked.pop(arm), self._values(arm))
        else:
            self._remember(arm, *self._restored.get(arm, ({}, {})))

    def _restore(self) -> None:
        entries = {entry["arm"]: entry for entry in self._record.entries if entry["event"] == "arm"}
        for arm, entry in entries.items():
            admitted = self._plan.admit(self._choice(entry["choice"]))
            if admitted.arm != arm:
                raise ValueError(f"the record's arm {arm} resolves to {admitted.arm} now")
            self._take(admitted)
            self._restored[arm] = entry["choice"], entry["memo"]
        for arm in [self._plan.baseline.arm, *entries]:
            if all(f"{arm}-s{seed}" in self._finished for seed in self._plan.seeds):
                self._remember(arm, *self._restored.get(arm, ({}, {})))

    def _take(self, arm: Arm) -> None:
        self._arms += 1
        trials = [Trial(arm.arm, seed, "explore") for seed in self._plan.seeds]
        self._waiting.extend(trial for trial in trials if trial.name not in self._finished)

    def _propose(self) -> None:
        for tries in range(STUCK + GIVE_UP):
            proposal = self._proposer.ask() if tries < STUCK else None
            # Seeded by how far the search is, so that a resumed one draws what an uninterrupted one would have.
            generator = random.Random(f"{self._arms}/{tries}")
            choice = proposal.choice if proposal else draw(self._plan.space, generator)
            arm = (proposal.arm if proposal else None) or self._plan.judge(choice)
            if arm.status == "run":
                self._plan.take(arm)
                return self._accept(arm, choice, proposal)
            self._passed_over[arm.status] = self._passed_over.get(arm.status, 0) + 1
            if proposal:
                self._proposer.tell(proposal.number, None)
        self.exhausted = True
        if not any(entry["event"] == "exhausted" and entry["arms"] == self._arms for entry in self._record.entries):
            self._record.append("exhausted", arms=self._arms)
        return None

    def _accept(self, arm: Arm, choice: Choice, proposal: Proposal | None) -> None:
        memo = self._proposer.accept(proposal.number) if proposal else {}
        ranged = {variable.name for variable in self._plan.space.free if variable.range}
        values = {name: level.value if name in ranged else level.label for name, level in choice.items()}
        self._record.append(
            "arm", sync=False, arm=arm.arm, label=arm.label, choice=values, memo=memo, passed_over=self._passed_over
        )
        self._passed_over = {}
        if proposal:
            self._asked[arm.arm] = proposal.number
        self._take(arm)

    def _remember(self, arm: str, values: Mapping[str, Any], memo: Mapping[str, Any]) -> None:
        self._proposer.remember(self._choice(values), self._values(arm), memo)

    def _choice(self, values: Mapping[str, Any]) -> Choice:
        choice: Choice = {}
        for variable in self._plan.space.free:
            if variable.name in values:
                value = values[variable.name]
                labelled = {level.label: level for level in variable.levels}
                choice[variable.name] = variable.level(value) if variable.range else labelled[value]
        return choice

    def _values(self, arm: str) -> dict[str, float] | None:
        """Returns an arm's objectives: its mean score over seeds, and its costs; None if a seed did not complete."""
        rows = [self._finished[f"{arm}-s{seed}"] for seed in self._plan.seeds]
        if any(row["status"] != "completed" for row in rows):
            return None
        cost = self._plan.arms[arm].cost
        assert cost is not None
        costs = {name: float(getattr(cost, name)) for name in ("macs", "params", "activations")}
        return {"val_accuracy": fmean(row["val_accuracy"] for row in rows), **costs}
