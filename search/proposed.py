"""The trials of a search: proposed as scores come in, stopped early, and given more seeds where that can matter.

What it does hangs on nothing but what has ended so far, in that order, all of which the record keeps: a search that was
cut goes on as it would have.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from search.arms import Arm, Trial
from search.budget import Ledger, epochs_of
from search.designs.base import AdaptiveDesign, Proposal
from search.designs.search import Search
from search.draw import draw
from search.factors import Choice
from search.known import first_choices, read_choice, values_of
from search.plan import Plan
from search.racing import Runner, contenders, next_seed
from search.record import Record
from search.rungs import Rungs

STUCK = 10
"""After so many proposals in a row that can't run, arms are drawn at random instead."""

GIVE_UP = 1000
"""After so many draws that can't run either, the space counts as exhausted."""

COSTS = ("macs", "params", "activations")

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
        self._ledger = _ledger(plan, design)
        self._rungs = _rungs(plan, design)
        self._proposer = design.proposer(plan)
        self._asked: dict[str, int] = {}
        self._known: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._told: dict[str, bool] = {}  # the arms that the proposer was told of, and whether they had a score
        self._ended: dict[str, Entry] = {}
        self._waiting: dict[str, Trial] = {}
        self._flying: set[str] = set()
        self._begun: dict[str, set[int]] = {}
        self._full: set[float] = set()
        self._passed_over: dict[str, int] = {}
        self.exhausted = self._over = False
        self._first: list[Choice] = list(reversed(first_choices(plan, design))) if isinstance(design, Search) else []
        self._recall()
        self._take(plan.baseline)
        self._restore(finished)
        self.already = self._count - len(self._waiting)

    @property
    def total(self) -> int:
        """How many trials there will be; in other currencies than trials, by what those so far have cost."""
        share = self._ledger.total / self._ledger.limit
        if self._over or (self.exhausted and self._design.racing is None):
            return self._count
        return max(self._count, round(self._ledger.limit if self._design.trials else self._count / max(share, 1e-3)))

    @property
    def planned(self) -> dict[str, Any]:
        planned = {"arms": [self._plan.baseline.arm], "seeds": list(self._plan.seeds), "trials": self._design.trials}
        return planned if self._plain else {**planned, "budget": self._budget}

    def next(self) -> Trial | None:
        if not self._waiting:
            self._choose()
        if not self._waiting:
            self._tell_of_end()
            return None
        name = next(iter(self._waiting))
        self._flying.add(name)
        return self._waiting.pop(name)

    def until(self, trial: Trial) -> int | None:
        if self._rungs is None or not self._is_first(trial):
            return None
        return self._rungs.after(epochs_of(self._ended.get(trial.name, {})))

    def paused(self, trial: Trial, entry: Entry) -> str:
        rung = epochs_of(entry)
        assert self._rungs is not None
        going = self._arrived(trial, entry)
        if going is None:
            return self._rungs.why_not(rung)
        return "" if going else f"after epoch {rung} there was no budget left for it to go on"

    def finished(self, trial: Trial, entry: Entry) -> None:
        self._took(trial, entry)
        if self._rungs is not None and self._is_first(trial) and entry["status"] == "completed":
            for rung in self._rungs.epochs:  # it has passed them before, unless it was trained by itself
                if rung <= epochs_of(entry):
                    self._hold_against(trial, rung, entry)
        if trial.seed in self._design.first_seeds:
            self._learn(trial.arm)

    # What there is to run

    @property
    def _plain(self) -> bool:
        """Whether the trials are all arms with all seeds."""
        return self._design.racing is None and self._design.budget is None

    @property
    def _budget(self) -> dict[str, float]:
        return {self._ledger.currency: self._ledger.limit}

    @property
    def _count(self) -> int:
        return sum(map(len, self._begun.values()))

    def _choose(self) -> None:
        """Finds something to run: a new arm, then more seeds for those in the race, then what budget is left."""
        racing = self._design.racing
        self._propose(1.0 if racing is None else 1.0 - racing)
        if racing is None or self._waiting or self._race() or self._flying:  # what runs may bring more into the race
            return
        self._propose(1.0)

    def _tell_of_end(self) -> None:
        if self._flying or self._plain:
            return
        self._over = True
        told: dict[str, Any] = {"trials": self._count, "budget": self._budget}
        last: Entry = next((entry for entry in reversed(self._record.entries) if entry["event"] == "explored"), {})
        if {name: last.get(name) for name in told} != told:
            self._record.append("explored", **told)

    def _propose(self, share: float) -> None:
        """Proposes an arm that can run and fits into a share of the budget; nothing from the first on that doesn't."""
        if self.exhausted or share in self._full or not self._ledger.fits(self._least(), share):
            return None
        while self._first:  # those of an earlier session are duplicates by now
            arm = self._plan.judge(choice := self._first.pop())
            if arm.status == "run" and self._ledger.fits(self._price(arm), share):
                self._plan.take(arm)
                return self._accept(arm, choice, None)
        for tries in range(STUCK + GIVE_UP):
            proposal = self._proposer.ask() if tries < STUCK else None
            # Seeded by how far the search is, so that a resumed one draws what an uninterrupted one would have.
            generator = random.Random(f"{len(self._begun)}/{tries}")
            choice = proposal.choice if proposal else draw(self._plan.space, generator)
            arm = (proposal.arm if proposal else None) or self._plan.judge(choice)
            for status, count in proposal.passed_over.items() if proposal else ():
                self._passed_over[status] = self._passed_over.get(status, 0) + count
            self._plan.stopwatch.write_to(self._record)
            fits = arm.status == "run" and self._ledger.fits(self._price(arm), share)
            if fits:
                self._plan.take(arm)
                return self._accept(arm, choice, proposal)
            if proposal:
                self._proposer.tell(proposal.number, None)
            if arm.status == "run":
                self._full.add(share)
                return None
            self._passed_over[arm.status] = self._passed_over.get(arm.status, 0) + 1
        self.exhausted = True
        arms = len(self._begun)
        if not any(entry["event"] == "exhausted" and entry["arms"] == arms for entry in self._record.entries):
            self._record.append("exhausted", arms=arms)
        return None

    def _least(self) -> float:
        """Returns what any arm costs at least."""
        return self._price(self._plan.baseline) if self._ledger.currency in ("trials", "epochs") else 0.0

    def _price(self, arm: Arm) -> float:
        """Returns what a new arm costs: as far as its first rung, or to its end."""
        end = self._rungs.epochs[0] if self._rungs is not None else arm.configuration.train.epochs
        return len(self._design.first_seeds) * self._ledger.price(arm, 0, end)

    def _accept(self, arm: Arm, choice: Choice, proposal: Proposal | None) -> None:
        memo = self._proposer.accept(proposal.number) if proposal else {}
        ranged = {variable.name for variable in self._plan.space.free if variable.range}
        values = {name: level.value if name in ranged else level.label for name, level in choice.items()}
        judged, passed_over = self._plan.judgement(arm), self._passed_over
        told = {"arm": arm.arm, "label": arm.label, "choice": values, "memo": memo, "passed_over": passed_over}
        self._record.append("arm", sync=False, **told, judged=judged)
        self._passed_over = {}
        self._known[arm.arm] = values, memo
        if proposal:
            self._asked[arm.arm] = proposal.number
        self._take(arm)

    def _take(self, arm: Arm) -> None:
        seeds = self._design.first_seeds
        self._begun[arm.arm] = set(seeds)
        for seed in seeds:
            self._set_aside(Trial(arm.arm, seed, "explore"), self._price(arm) / len(seeds))

    def _set_aside(self, trial: Trial, price: float) -> None:
        self._ledger.set_aside(trial, price)
        self._waiting[trial.name] = trial

    def _race(self) -> bool:
        """Gives one more seed to an arm that may be on the front, if one has fewer than it may."""
        runners = [runner for arm in self._begun if (runner := self._runner(arm)) is not None]
        images = max((entry.get("val_images") or 0 for entry in self._ended.values()), default=0)
        found = next_seed(contenders(runners, images), self._plan.seeds, self._begun)
        if found is None or not self._ledger.fits(self._full_price(found[0])):
            return False
        self._record.append("replicate", sync=False, arm=found[0], seed=found[1])
        self._replicate(*found)
        return True

    def _replicate(self, arm: str, seed: int) -> None:
        self._begun[arm].add(seed)
        self._set_aside(Trial(arm, seed, "explore"), self._full_price(arm))

    def _full_price(self, arm: str) -> float:
        own = self._plan.arms[arm]
        return self._ledger.price(own, 0, own.configuration.train.epochs)

    def _runner(self, arm: str) -> Runner | None:
        """Returns an arm with its scores; None if it has none yet, or one of its trials did not complete."""
        rows = [self._ended[name] for seed in self._begun[arm] if (name := f"{arm}-s{seed}") in self._ended]
        if not rows or any(row["status"] != "completed" for row in rows):
            return None
        own = self._plan.arms[arm]
        costs = tuple(own.value(name) for name in self._objectives if name != "val_accuracy")
        return Runner(arm, [row["val_accuracy"] for row in rows], costs)

    # What came of it

    @property
    def _objectives(self) -> tuple[str, ...]:
        return getattr(self._design, "objectives", ("val_accuracy",))

    def _is_first(self, trial: Trial) -> bool:
        return trial.seed == self._design.first_seeds[0]

    def _took(self, trial: Trial, entry: Entry) -> None:
        """Takes note of how far a trial has come, whether it has ended or not."""
        self._flying.discard(trial.name)
        self._waiting.pop(trial.name, None)
        self._ended[trial.name] = entry
        self._ledger.settle(trial, entry)

    def _arrived(self, trial: Trial, entry: Entry) -> bool | None:
        """Takes note of a trial that paused at a rung; returns whether it goes on, None if it isn't good enough."""
        self._took(trial, entry)
        self._learn(trial.arm)
        return self._hold_against(trial, epochs_of(entry), entry)

    def _hold_against(self, trial: Trial, rung: int, entry: Entry) -> bool | None:
        """Holds a trial against the others at a rung; has all go on that are good enough now and that can be paid."""
        assert self._rungs is not None
        accuracy, own = entry["epochs"][rung - 1]["val_accuracy"], self._plan.arms[trial.arm]
        objectives = tuple(
            -accuracy if name == "val_accuracy" else math.log(own.value(name)) for name in self._objectives
        )
        going = {arm: self._go_on(arm, rung) for arm in self._rungs.reach(trial.arm, rung, objectives)}
        return going.get(trial.arm)

    def _go_on(self, arm: str, rung: int) -> bool:
        assert self._rungs is not None
        trial, own = Trial(arm, self._design.first_seeds[0], "explore"), self._plan.arms[arm]
        if epochs_of(self._ended[trial.name]) > rung:
            return True
        price = self._ledger.price(own, rung, self._rungs.after(rung) or own.configuration.train.epochs)
        if not self._ledger.fits(price):
            return False
        self._set_aside(trial, price)
        return True

    def _learn(self, arm: str) -> None:
        """Tells the proposer of an arm all of whose first seeds have a score, or how much further one has come."""
        if any(f"{arm}-s{seed}" not in self._ended for seed in self._design.first_seeds):
            return
        values = self._values(arm)
        if arm in self._told:
            if self._told[arm] and values is not None and self._rungs is not None:
                self._proposer.follow(self._choice(arm), values)
            return
        self._told[arm] = values is not None
        if arm in self._asked:
            self._proposer.tell(self._asked.pop(arm), values)
        else:
            self._proposer.remember(self._choice(arm), values, self._known.get(arm, ({}, {}))[1])

    def _values(self, arm: str) -> dict[str, float] | None:
        """Returns an arm's objectives: its mean score over seeds, and its costs; None if a seed has none."""
        rows = [self._ended[f"{arm}-s{seed}"] for seed in self._design.first_seeds]
        scored = ("completed",) if self._rungs is None else ("completed", "paused", "stopped")
        if any(row["status"] not in scored for row in rows):
            return None
        own, share = self._plan.arms[arm], 1.0
        if rows[0]["status"] != "completed":
            share = epochs_of(rows[0]) / own.configuration.train.epochs
        costs = {name: own.value(name) for name in (*COSTS, *own.latency)}
        return {"val_accuracy": fmean(row["val_accuracy"] for row in rows), "share": share, **costs}

    def _choice(self, arm: str) -> Choice:
        values = self._known.get(arm, ({}, {}))[0]
        choice: Choice = {}
        for variable in self._plan.space.free:
            if variable.name in values:
                value = values[variable.name]
                labelled = {level.label: level for level in variable.levels}
                choice[variable.name] = variable.level(value) if variable.range else labelled[value]
        return choice

    # An earlier session's

    def _recall(self) -> None:
        """Tells the proposer what the record holds of earlier runs."""
        for entry in self._record.entries:
            for own in entry["arms"] if entry["event"] == "known" else ():
                choice = read_choice(self._plan, own["levels"])
                values = None if choice is None else values_of(self._plan, choice, own["val_accuracy"])
                if choice is not None and values is not None:
                    self._proposer.recall(choice, values)

    def _restore(self, finished: Mapping[str, Entry]) -> None:
        """Goes through the record as it was written, and then through what it does not tell of."""
        entries = self._record.entries
        ends = [(number, entry) for number, entry in enumerate(entries) if entry["event"] == "finished"]
        last = {entry["trial"]: number for number, entry in ends}
        stops = {number for number, entry in ends if entry["status"] == "stopped"}
        for number, entry in enumerate(entries):
            event = entry["event"]
            if event == "arm":
                self._admit(entry)
            elif event == "replicate" and entry["arm"] in self._begun:
                self._replicate(entry["arm"], entry["seed"])
            elif event == "rung" or (event == "finished" and (number in stops or number == last[entry["trial"]])):
                self._restore_trial(entry["trial"], entry)
        for name, ended in finished.items():
            if name in self._waiting and name not in last:
                self._restore_trial(name, ended)

    def _admit(self, entry: Entry) -> None:
        self._known[entry["arm"]] = entry["choice"], entry["memo"]
        judged = entry.get("judged")  # which earlier versions didn't keep
        admitted = self._plan.recall(self._choice(entry["arm"]), entry["arm"], entry["label"], judged)
        if admitted.arm not in self._begun:
            self._take(admitted)

    def _restore_trial(self, name: str, entry: Entry) -> None:
        arm, _, seed = name.rpartition("-s")
        if arm not in self._begun or int(seed) not in self._begun[arm]:  # of another phase
            return
        trial, before = Trial(arm, int(seed), "explore"), self._ended.get(name)
        if entry["status"] == "stopped" and before is not None and epochs_of(before) == epochs_of(entry):
            self._ended[name] = entry  # it was to go on from there, and there was no time
        elif entry["status"] not in ("paused", "stopped"):
            self.finished(trial, entry)
        elif self._rungs is not None:
            self._arrived(trial, entry)


def _ledger(plan: Plan, design: AdaptiveDesign) -> Ledger:
    if design.budget is None:
        return Ledger(plan, "trials", float(design.trials or 0))
    gpus = plan.study.spec.ray.gpus
    return Ledger(
        plan, design.budget.currency, design.budget.limit, float(gpus) if isinstance(gpus, float) and gpus else 1.0
    )


def _rungs(plan: Plan, design: AdaptiveDesign) -> Rungs | None:
    spec = design.early_stopping
    if spec is None:
        return None
    return Rungs(spec.epochs(plan.baseline.configuration.train.epochs), spec.eta, plan.baseline.arm)
