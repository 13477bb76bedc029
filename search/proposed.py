"""The trials of a search: proposed as scores come in, stopped early, and given more seeds where that can matter.

What it does hangs on nothing but what has ended so far, in that order, all of which the record keeps: a search that was
cut goes on as it would have.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from search.arms import Arm, Trial
from search.designs.base import AdaptiveDesign, Proposal
from search.designs.search import Search
from search.draw import draw
from search.factors import Choice
from search.known import first_choices
from search.outcomes import Outcomes
from search.plan import Plan
from search.racing import next_replicate
from search.record import Record
from search.restore import restore

STUCK = 10
"""After so many proposals in a row that can't run, arms are drawn at random instead."""

GIVE_UP = 1000
"""After so many draws that can't run either, the space counts as exhausted."""

MISFITS = 30
"""After so many arms in a row that would run, and are too dear for what is left of the budget, it counts as spent."""

Entry = Mapping[str, Any]


class Proposed:
    """The trials of a search: every proposed arm that can run, with each of the design's seeds; in a race the first.

    Rejected and duplicate proposals cost no trial; the proposer is told and asked again. The record keeps every arm
    that runs, so a later session goes on from the same history.

    Args:
        finished: The last entry of every trial that ended, by its name.
    """

    def __init__(self, plan: Plan, record: Record, finished: Mapping[str, Entry]) -> None:
        design = plan.study.spec.design
        assert isinstance(design, AdaptiveDesign)
        self._plan, self._record, self._design = plan, record, design
        self._proposer = design.proposer(plan)
        self._outcomes = Outcomes(plan, design, self._proposer)
        self._course = self._outcomes.course
        limit = self._course.ledger.limit
        told = [entry for entry in record.entries if entry["event"] == "full" and entry["limit"] == limit]
        self._full: set[float] = {entry["share"] for entry in told}
        self._passed_over: dict[str, int] = {}
        self.exhausted = self._over = False
        self._first: list[Choice] = list(reversed(first_choices(plan, design))) if isinstance(design, Search) else []
        self._outcomes.feedback.recall(record.entries)
        self._course.take(plan.baseline)
        restore(plan, self._outcomes, record.entries, finished)
        self.already = self._course.count - len(self._course.waiting)

    @property
    def total(self) -> int:
        """How many trials there will be; in other currencies than trials, by what those so far have cost."""
        ledger, count = self._course.ledger, self._course.count
        share = ledger.total / ledger.limit
        if self._over or (self.exhausted and self._design.racing is None):
            return count
        return max(count, round(ledger.limit if self._design.trials else count / max(share, 1e-3)))

    @property
    def planned(self) -> dict[str, Any]:
        planned = {"arms": [self._plan.baseline.arm], "seeds": list(self._plan.seeds), "trials": self._design.trials}
        return planned if self._plain else {**planned, "budget": self._course.budget}

    def next(self) -> Trial | None:
        if not self._course.waiting:
            self._choose()
        if not self._course.waiting:
            self._tell_of_end()
            return None
        return self._course.start()

    def until(self, trial: Trial) -> int | None:
        promotion = self._outcomes.promotion
        return None if promotion is None else promotion.until(trial)

    def paused(self, trial: Trial, entry: Entry) -> str:
        return self._outcomes.paused(trial, entry)

    def finished(self, trial: Trial, entry: Entry) -> None:
        self._outcomes.finished(trial, entry)

    @property
    def _plain(self) -> bool:
        """Whether the trials are all arms with all seeds."""
        return self._design.racing is None and self._design.budget is None

    def _choose(self) -> None:
        """Finds something to run: a new arm, then more seeds for those in the race, then what budget is left."""
        racing = self._design.racing
        self._propose(1.0 if racing is None else 1.0 - racing)
        if racing is None or self._course.waiting or self._race():
            return
        if self._course.flying:  # what runs may bring more into the race
            return
        self._propose(1.0)

    def _tell_of_end(self) -> None:
        if self._course.flying or self._plain:
            return
        self._over = True
        told: dict[str, Any] = {"trials": self._course.count, "budget": self._course.budget}
        last: Entry = next((entry for entry in reversed(self._record.entries) if entry["event"] == "explored"), {})
        if {name: last.get(name) for name in told} != told:
            self._record.append("explored", **told)

    def _propose(self, share: float) -> None:
        """Proposes an arm that can run and fits into a share of the budget; nothing from the first on that doesn't."""
        if self.exhausted or share in self._full or not self._course.ledger.fits(self._course.least(), share):
            return None
        while self._first:  # those of an earlier session are duplicates by now
            arm = self._plan.judge(choice := self._first.pop())
            if arm.status == "run" and self._fits(arm, share):
                self._plan.take(arm)
                return self._accept(arm, choice, None)
        misfits = 0
        for tries in range(STUCK + GIVE_UP):
            proposal = self._proposer.ask() if tries < STUCK else None
            # Seeded by how far the search is, so that a resumed one draws what an uninterrupted one would have.
            generator = random.Random(f"{len(self._course.begun)}/{tries}")
            choice = proposal.choice if proposal else draw(self._plan.space, generator)
            arm = (proposal.arm if proposal else None) or self._plan.judge(choice)
            for status, count in proposal.passed_over.items() if proposal else ():
                self._passed_over[status] = self._passed_over.get(status, 0) + count
            self._plan.stopwatch.write_to(self._record)
            fits = arm.status == "run" and self._fits(arm, share)
            if fits:
                self._plan.take(arm)
                return self._accept(arm, choice, proposal)
            if proposal:
                self._proposer.tell(proposal.number, None)
            if arm.status == "run":
                misfits += 1
                if misfits == MISFITS:
                    return self._spend(share)
                continue
            self._passed_over[arm.status] = self._passed_over.get(arm.status, 0) + 1
        self.exhausted = True
        arms = len(self._course.begun)
        if not any(entry["event"] == "exhausted" and entry["arms"] == arms for entry in self._record.entries):
            self._record.append("exhausted", arms=arms)
        return None

    def _spend(self, share: float) -> None:
        """Takes note that a share of the budget is spent, in the record too, so that another session knows."""
        self._full.add(share)
        self._record.append("full", share=share, limit=self._course.ledger.limit)

    def _fits(self, arm: Arm, share: float) -> bool:
        return self._course.ledger.fits(self._course.price(arm), share)

    def _accept(self, arm: Arm, choice: Choice, proposal: Proposal | None) -> None:
        memo = self._proposer.accept(proposal.number) if proposal else {}
        ranged = {variable.name for variable in self._plan.space.free if variable.range}
        values = {name: level.value if name in ranged else level.label for name, level in choice.items()}
        judged, passed_over = self._plan.judgement(arm), self._passed_over
        told = {"arm": arm.arm, "label": arm.label, "choice": values, "memo": memo, "passed_over": passed_over}
        self._record.append("arm", sync=False, **told, judged=judged)
        self._passed_over = {}
        self._outcomes.feedback.admit(arm.arm, values, memo, proposal.number if proposal else None)
        self._course.take(arm)

    def _race(self) -> bool:
        """Gives one more seed to an arm that may be on the front, if one has fewer than it may."""
        found = next_replicate(self._plan, self._design, self._course)
        if found is None:
            return False
        self._record.append("replicate", sync=False, arm=found[0], seed=found[1])
        self._course.replicate(*found)
        return True
