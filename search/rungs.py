"""Early stopping of a search's arms: asynchronous successive halving over the non-dominated order.

Every arm is trained to the first rung. There, and at each later rung, it goes on if it is among the best 1/eta of all
arms that have reached that rung by then, ordered by the objectives as they stand there (Li et al., arXiv:1810.05934;
of several objectives: Schmucker et al., arXiv:2106.12639). An arm that stopped goes on after all, from its checkpoint,
once enough worse ones have reached its rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from blocks.base import Count, Number, Spec
from search.arrivals import Best

if TYPE_CHECKING:
    from search.designs.base import AdaptiveDesign
    from search.plan import Plan


class EarlyStoppingSpec(Spec):
    """When a search stops training an arm.

    Attributes:
        eta: One arm of so many goes on from a rung.
        rungs: The epochs after which arms are held against each other; by default the full length over eta, over eta
            again, and so on.
    """

    eta: Annotated[Number, Field(gt=1, le=100)] = 3.0
    rungs: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None

    @field_validator("rungs")
    @classmethod
    def _rising(cls, rungs: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if rungs is not None and sorted(set(rungs)) != list(rungs):
            raise ValueError(f"rungs are epochs in rising order, not {list(rungs)}")
        return rungs

    def epochs(self, full: int) -> tuple[int, ...]:
        """Returns the rungs of trials of a full length; none where that is too short for one."""
        if self.rungs is not None:
            return self.rungs
        found: list[int] = []
        length = full / self.eta
        while length >= 1:
            found.append(int(length + 1e-9))
            length /= self.eta
        return tuple(sorted(set(found) - {full}))

    def share(self, full: int) -> float:
        """Returns what arms are trained for on average, over their full length, if one of eta goes on each time."""
        rungs = self.epochs(full)
        ends = [*rungs, full]
        parts = [
            (end - begin) * self.eta**-number for number, (begin, end) in enumerate(zip((0, *rungs), ends, strict=True))
        ]
        return sum(parts) / full


class Rungs:
    """What has reached which rung, and what went on from there.

    Args:
        epochs: The rungs.
        eta: One arm of so many goes on.
        exempt: The arm that is never stopped: the baseline, which everything is compared with.
    """

    def __init__(self, epochs: Sequence[int], eta: float, exempt: str) -> None:
        self.epochs, self.eta, self._exempt = tuple(epochs), eta, exempt
        self._reached: dict[int, set[str]] = {epoch: set() for epoch in epochs}
        self._best = {epoch: Best() for epoch in epochs}

    def after(self, epoch: int) -> int | None:
        """Returns the first rung after an epoch; None if there is none."""
        return next((rung for rung in self.epochs if rung > epoch), None)

    def reach(self, arm: str, rung: int, objectives: tuple[float, ...]) -> list[str]:
        """Takes note that an arm has reached a rung; what reaches one again changes nothing.

        Args:
            objectives: As they stand there, less being better.

        Returns:
            The arms that go on from this rung now and didn't before, the best first: this one, another, or none.
        """
        reached = self._reached[rung]
        if arm in reached:
            return []
        reached.add(arm)
        going = self._best[rung].add(arm, objectives, int(len(reached) / self.eta + 1e-9))
        if self._exempt in going and arm != self._exempt:  # it went on when it came
            going.remove(self._exempt)
        return [*going, arm] if arm == self._exempt and arm not in going else going

    def why_not(self, rung: int) -> str:
        """Returns why an arm that has just reached a rung is stopped there, in words."""
        count = len(self._reached[rung])
        best = int(count / self.eta + 1e-9)
        if best == 0:
            return f"after epoch {rung}: the best 1/{self.eta:g} of {count:,} arms that had come so far is none yet"
        return f"after epoch {rung} not among the best {best:,} of {count:,} arms that had come so far"


def rungs_of(plan: Plan, design: AdaptiveDesign) -> Rungs | None:
    """Returns the rungs of a search that is to begin; None if it stops no arms."""
    spec = design.early_stopping
    if spec is None:
        return None
    return Rungs(spec.epochs(plan.baseline.configuration.train.epochs), spec.eta, plan.baseline.arm)


def check_rungs(plan: Plan, design: AdaptiveDesign) -> None:
    """Raises ``InputError`` where the arms of a plan can't be stopped at the rungs that its design names."""
    spec, source = design.early_stopping, plan.study.source
    if spec is None:
        return
    for variable in plan.space.variables:
        places = [variable.path, *(place for level in variable.levels for place, _ in level.changes)]
        if any(place in {("train",), ("train", "epochs")} for place in places):
            message = f"the factor {variable.name} varies train.epochs: arms of other lengths can't share rungs"
            raise source.error(("design", "early_stopping"), message, at_key=True)
    full = plan.baseline.configuration.train.epochs
    if not spec.epochs(full):
        message = f"train.epochs is {full}, too short for a rung at 1/{spec.eta:g} of it"
        raise source.error(("design", "early_stopping"), message, at_key=True)
    for number, rung in enumerate(spec.rungs or ()):
        if rung >= full:
            message = f"a rung at epoch {rung} stops nothing: trials end with epoch {full}"
            raise source.error(("design", "early_stopping", "rungs", number), message)
