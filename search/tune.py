"""Tuning: every arm tries the same values of the recipe, at equal budget, and keeps those that suit it best.

The values are points of one scrambled Halton sequence (Owen 2017, https://arxiv.org/abs/1706.02808), spread over the
ranges; more trials keep the first. Every arm's own values come before them. All trials use one seed that nothing else
uses, so that two values of an arm, and one value of two arms, differ in nothing but themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from blocks import InfeasibleSpec
from blocks.base import canonical
from blocks.source import InputError
from search import paths
from search.arms import Arm, Trial
from search.configuration import Unresolvable
from search.factors import Range
from search.phases import FIRST_TUNE_SEED

if TYPE_CHECKING:
    from search.plan import Plan

REFUSED = {
    "search": "a search compares nothing at equal recipes; make the path a factor of the search",
    "population": "a population compares spaces, each network under the one recipe",
    "train": "one arm is compared with nothing; make the path a factor of a search",
}
"""The designs that don't tune, and why."""

SOUGHT = 1000
"""So many points in a row are drawn for one new value; then the ranges count as exhausted."""

Finished = Mapping[str, Mapping[str, Any]]
Values = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """One set of values that an arm tries.

    Attributes:
        arm: The identity of the arm's configuration with them.
        values: By path.
    """

    arm: str
    values: Values

    @property
    def trial(self) -> str:
        """The name of the trial that tries them."""
        return f"{self.arm}-s{FIRST_TUNE_SEED}"


class Tuning:
    """What the arms of a plan try, and which of it each keeps.

    Raises:
        InputError: If a path can't be tuned, an arm can't take a value, or the design is none that tunes.
    """

    def __init__(self, plan: Plan) -> None:
        spec = plan.study.spec.tune
        assert spec is not None
        self.plan, self.ranges, self.budget = plan, spec.paths, spec.trials
        self._paths = {text: self._checked(text) for text in self.ranges}
        drawn = self._drawn()
        self.candidates = {arm.arm: self._candidates(arm, drawn) for arm in plan.arms.values()}
        self.kept: dict[str, str | None] = {}

    def trials(self) -> list[Trial]:
        """Returns the trials: every arm's own values first, then value by value."""
        tried = [each[number] for number in range(self.budget) for each in self.candidates.values()]
        return [Trial(arm, FIRST_TUNE_SEED, "tune") for arm in dict.fromkeys(candidate.arm for candidate in tried)]

    def settle(self, finished: Finished) -> None:
        """Gives every arm all of whose trials have ended its own recipe, as an arm of the plan."""
        self.kept = {}
        tuned: dict[str, Arm] = {}
        for arm, candidates in self.candidates.items():
            if any(candidate.trial not in finished for candidate in candidates):
                continue
            best = self._best(candidates, finished)
            self.kept[arm] = None if best is None else best.arm
            if best is not None and best.arm != arm:
                tuned.setdefault(best.arm, self._tuned(arm, best))
        self.plan.set_tuned(list(tuned.values()))
        for arm, kept in self.kept.items():
            if kept in tuned and (same := self.plan.same(tuned[kept].configuration)) is not None:
                self.kept[arm] = same.arm  # another arm may train the very same already

    def notes(self, finished: Finished) -> list[str]:
        """Returns what to know of arms some of whose trials gave no score."""
        found = []
        for arm, candidates in self.candidates.items():
            rows = [finished[each.trial] for each in candidates if each.trial in finished]
            if failed := [row for row in rows if row["status"] == "failed"]:
                count = f"{len(failed)} of {len(candidates)} values of {self.plan.label(arm)} failed"
                found.append(f"tuning: {count} and count for nothing: {failed[0]['reason']}")
            if arm in self.kept and self.kept[arm] is None:
                found.append(f"tuning: {self.plan.label(arm)} completed with none of its values and stays as it is")
        return found

    def table(self, finished: Finished) -> dict[str, Any]:
        """Returns the part of arms.json that tells of the tuning."""
        ranges = {path: {"low": each.low, "high": each.high, "log": each.log} for path, each in self.ranges.items()}
        arms = {arm: self._row(arm, candidates, finished) for arm, candidates in self.candidates.items()}
        return {"trials": self.budget, "seed": FIRST_TUNE_SEED, "paths": canonical(ranges), "arms": arms}

    def _row(self, arm: str, candidates: list[Candidate], finished: Finished) -> dict[str, Any]:
        kept = self.kept.get(arm)
        rows = [
            {
                "arm": each.arm,
                "trial": each.trial,
                "values": each.values,
                "status": finished.get(each.trial, {}).get("status"),
                "val_accuracy": _score(each, finished),
            }
            for each in candidates
        ]
        best = next((each for each in candidates if each.arm == kept), None)
        return {
            "tuned": kept,
            "own": candidates[0].values,
            "values": best.values if best else None,
            "own_score": _score(candidates[0], finished),
            "score": _score(best, finished) if best else None,
            "candidates": rows,
        }

    # Candidates

    def _checked(self, text: str) -> paths.Path:
        """Returns the path of a text, once it is known to be one that can be tuned."""
        kind = self.plan.study.spec.design.kind
        if kind in REFUSED:
            raise self.plan.study.source.error(
                ("tune",), f"design: {kind} takes no tuning: {REFUSED[kind]}", at_key=True
            )
        try:
            path = paths.parse(text)
            found = paths.values(path, self.plan.study.baseline)
        except paths.PathError as error:
            raise self._error(text, str(error)) from None
        if path[0] != "train":
            raise self._error(text, "only numbers of the recipe are tuned, such as train.optimizer.lr")
        if path in {("train", "epochs"), ("train", "threads"), ("train", "target_accuracy")}:
            raise self._error(text, "this is no value that suits one arm better than another: a budget, or a measure")
        ((_, value),) = found or (((), None),)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._error(text, f"the baseline has no number there to start from, but {value!r}")
        for variable in self.plan.space.variables:
            if path == variable.path or any(path == place for level in variable.levels for place, _ in level.changes):
                raise self._error(text, f"the factor {variable.name} varies this; it can't be tuned as well")
        return path

    def _candidates(self, arm: Arm, drawn: list[Values]) -> list[Candidate]:
        own = {text: self._own(arm, text) for text in self.ranges}
        others = [values for values in drawn if values != own][: self.budget - 1]
        return [Candidate(arm.arm, own), *(self._candidate(arm, values) for values in others)]

    def _own(self, arm: Arm, text: str) -> Any:
        try:
            ((_, value),) = paths.values(self._paths[text], arm.configuration.plain())
        except paths.PathError as error:
            raise self._error(text, f"not there in the arm {arm.label}: {error}") from None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._error(text, f"the arm {arm.label} has no number there to start from, but {value!r}")
        return canonical(value)

    def _candidate(self, arm: Arm, values: Values) -> Candidate:
        try:
            return Candidate(self.plan.derive(arm, "tune", values).arm, values)
        except (Unresolvable, InfeasibleSpec) as error:
            chosen = ", ".join(f"{path}={value}" for path, value in values.items())
            raise self._error(next(iter(values)), f"the arm {arm.label} can't take {chosen}: {error}") from None

    def _drawn(self) -> list[Values]:
        """Returns as many different values as there are trials; an arm leaves out one, or its own among them."""
        found: list[Values] = []
        points = _points(len(self.ranges))
        for _ in range(self.budget):
            for _, point in zip(range(SOUGHT), points, strict=False):
                values = {text: _at(each, unit) for (text, each), unit in zip(self.ranges.items(), point, strict=True)}
                if values not in found:
                    found.append(values)
                    break
        if len(found) < self.budget:
            message = f"{self.budget} trials need as many different values, and the ranges hold {len(found)}"
            raise self.plan.study.source.error(("tune", "trials"), message)
        return found

    def _error(self, text: str, message: str) -> InputError:
        return self.plan.study.source.error(("tune", text), message, at_key=True)

    # The choice

    def _best(self, candidates: list[Candidate], finished: Finished) -> Candidate | None:
        """Returns the best by validation accuracy; ties go to the arm's own values, then to those nearest to them."""
        scored = [(score, each) for each in candidates if (score := _score(each, finished)) is not None]
        own = candidates[0].values
        if not scored:
            return None
        return min(scored, key=lambda pair: (-pair[0], self._distance(own, pair[1].values)))[1]

    def _distance(self, own: Values, values: Values) -> float:
        """Returns how far values are from an arm's own: the mean share of each range that lies between."""
        shares = [abs(_share(each, own[text]) - _share(each, values[text])) for text, each in self.ranges.items()]
        return sum(shares) / len(shares)

    def _tuned(self, arm: str, best: Candidate) -> Arm:
        own, other = self.plan.arms[arm], self.plan.derived[best.arm]
        return replace(
            own,
            arm=best.arm,
            label=f"{own.label}, tuned",
            configuration=other.configuration,
            twin=None,
            unmatched=None,
            tuned_of=arm,
        )


def _score(candidate: Candidate, finished: Finished) -> float | None:
    """Returns a candidate's validation accuracy; None if its trial diverged, failed, or hasn't ended."""
    entry = finished.get(candidate.trial, {})
    return entry["val_accuracy"] if entry.get("status") == "completed" else None


def _points(dimensions: int) -> Iterator[list[float]]:
    from scipy.stats import qmc  # takes half a second, which only studies that tune should pay

    sequence = qmc.Halton(dimensions, scramble=True, rng=0)
    while True:
        yield from sequence.random(16).tolist()


def _at(span: Range, unit: float) -> int | float:
    """Returns the number of a range at a share of it from 0 to 1, of four digits unless the range is of whole ones."""
    grid = None if span.log else span.grid()
    if grid is not None:
        return grid[min(int(unit * len(grid)), len(grid) - 1)]
    value = span.low * (span.high / span.low) ** unit if span.log else span.low + unit * (span.high - span.low)
    rounded = round(value) if span.whole else float(f"{value:.4g}")
    number: int | float = canonical(min(max(rounded, span.low), span.high))
    return number


def _share(span: Range, value: float) -> float:
    """Returns how far into a range a number lies: 0 at its low end, 1 at its high one."""
    if span.low == span.high:
        return 0.0
    if span.log and value > 0:
        return math.log(value / span.low) / math.log(span.high / span.low)
    return (value - span.low) / (span.high - span.low)
