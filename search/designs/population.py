"""Population: a random sample of a space, or of each of several, as in "On Network Design Spaces".

Source: Radosavovic et al. 2019 (arXiv:1905.13214) and 2020 (arXiv:2003.13678): spaces are compared by the distribution
of the errors of networks drawn from them under a cost band, not by their best networks.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from blocks.base import Count, Natural, Number, Spec, Text, did_you_mean, there_are
from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice, Kept, Variable, label

if TYPE_CHECKING:
    from search.plan import Plan

GIVE_UP = 1000
"""After so many draws in a row without a new arm, a space has no more of them."""

WHOLE = "all"
"""The name of the space where none is named."""


class Narrowed(Spec):
    """A part of a factor's range; an end that is left out is the range's own."""

    low: Number | None = None
    high: Number | None = None


def _part(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Narrowed.model_validate(value)
    if isinstance(value, (list, tuple)) and value:
        return tuple(value)
    if isinstance(value, Narrowed):
        return value
    raise ValueError("a space keeps some of a factor's levels, as a list, or a part of its range, as {low, high}")


Part = Annotated[Any, BeforeValidator(_part, json_schema_input_type=list[Any] | Narrowed)]


@DESIGNS.register
class Population(ListedDesign):
    """Arms drawn at random from all that the factors span, uniformly, under the study's constraints.

    A draw that breaks a constraint, can't be built or was drawn before is drawn again. Arms follow from the seed and
    their number alone, so that more of them leave the first ones as they are.

    Attributes:
        arms: How many different ones, of each space.
        spaces: Parts of the whole space by name: for some factors the levels or the part of the range that is kept.
            An arm that two spaces hold is trained once and counts in both. Without any, the whole space is sampled.
        sampler_seed: Seeds the draws, not the trials.
    """

    combines: ClassVar[bool] = True
    kind: Literal["population"] = "population"
    arms: Annotated[Count, Field(ge=2)]
    spaces: Annotated[dict[Text, dict[Text, Part]], Field(min_length=1)] | None = None
    sampler_seed: Natural = 0

    @model_validator(mode="after")
    def _by_distribution(self) -> Self:
        if self.match is not None:
            raise ValueError("a population's spaces are compared under one cost band (constraints), not by a match")
        return self

    def choices(self, plan: Plan) -> Iterator[Choice]:
        spaces = plan.facts["spaces"] = []
        plan.facts["cost_band"] = _cost_band(plan)
        for name in self.spaces or {WHOLE: {}}:
            found = yield from self._sample(plan, name)
            spaces.append(found)
        totals = {key: sum(found[key] for found in spaces) for key in ("drawn", "accepted")}
        plan.facts["acceptance"] = totals

    def _sample(self, plan: Plan, name: str) -> Generator[Choice, None, dict[str, Any]]:
        """Yields the arms of one space that are not there yet; returns what arms.json says of the space."""
        from search.draw import draw

        kept, generator = self._kept(plan, name), random.Random(f"{self.sampler_seed}/{name}")
        members: dict[str, None] = {}
        passed_over: Counter[str] = Counter()
        drawn = repeated = last = 0
        while len(members) < self.arms:
            drawn += 1
            choice = draw(plan.space, generator, kept)
            arm = plan.judge(choice)
            there = plan.arms.get(arm.arm)
            if arm.status == "rejected" or (there is not None and there.outside):
                passed_over[arm.reason if there is None else there.reason] += 1
            elif arm.arm in members:
                repeated += 1
            else:
                if arm.status == "run":
                    yield choice
                members[arm.arm], last = None, drawn
            if drawn - last == GIVE_UP:
                raise self._exhausted(plan, name, len(members), passed_over)
        plan.passed_over.update(passed_over)
        rejected = sum(passed_over.values())
        counts = {"drawn": drawn, "accepted": len(members), "rejected": rejected, "repeated": repeated}
        return {"name": name, "arms": list(members), **counts}

    def _kept(self, plan: Plan, name: str) -> dict[str, Kept]:
        """Returns what a space keeps of every variable that it narrows. Raises ``InputError``."""
        found: dict[str, Kept] = {}
        for factor, part in ((self.spaces or {}).get(name) or {}).items():
            place = ("design", "spaces", name, factor)
            variables = [variable for variable in plan.space.free if factor in (variable.factor, variable.name)]
            if not variables:
                known = list(dict.fromkeys(variable.factor for variable in plan.space.free))
                message = f"there is no factor '{factor}' to draw: {there_are(known)}"
                raise plan.study.source.error(place, message + did_you_mean(factor, known))
            for variable in variables:
                try:
                    found[variable.name] = _kept_of(plan, variable, part)
                except ValueError as error:
                    raise plan.study.source.error(place, str(error)) from None
        return found

    def _exhausted(self, plan: Plan, name: str, found: int, passed_over: Counter[str]) -> Exception:
        whose = f"of the space '{name}'" if self.spaces else "of the space"
        if found:
            message = f"only {found} different arms {whose} can run, or no other was among {GIVE_UP:,} draws in a row"
            return plan.study.source.error(("design", "arms"), message)
        limits: Counter[str] = Counter()
        for reason, times in passed_over.items():
            limits[_limit(reason)] += times
        (limit, times), *_ = limits.most_common(1)
        message = f"none of {GIVE_UP:,} random arms {whose} can run; most ({times}) were rejected by: {limit}"
        return plan.study.source.error(("constraints",), message)


def _kept_of(plan: Plan, variable: Variable, part: Any) -> Kept:
    """Returns what is kept of a variable. Raises ``ValueError`` if that is not among what it has."""
    limits = variable.range
    if limits is None:
        if isinstance(part, Narrowed):
            raise ValueError(f"{variable.name} has levels, not a range: list those that the space keeps")
        known = [level.label if level else variable.baseline for level in plan.space.options(variable)]
        wanted = [label(value) for value in part]
        for text in wanted:
            if text not in known:
                raise ValueError(f"'{text}' is no level of {variable.name}: {there_are(known)}")
        return frozenset(wanted)
    if not isinstance(part, Narrowed):
        raise ValueError(f"{variable.name} has a range: give the part that the space keeps, as {{low, high}}")
    low = limits.low if part.low is None else part.low
    high = limits.high if part.high is None else part.high
    if not limits.low <= low <= high <= limits.high:
        raise ValueError(f"{low:g} to {high:g} is no part of {limits.low:g} to {limits.high:g}")
    grid = limits.grid()
    if grid is not None and not any(low <= number <= high for number in grid):
        raise ValueError(f"no number of the range lies from {low:g} to {high:g}")
    return low, high


def _limit(reason: str) -> str:
    """Returns what a reason is about: a constraint's name, or the whole sentence."""
    return reason.partition(" ")[0] if " the limit of " in reason else reason


def _cost_band(plan: Plan) -> dict[str, Any] | None:
    """Returns the first constraint, which is what the arms of a population have in common."""
    constraints = plan.study.spec.constraints
    for cost in constraints.named:
        band = getattr(constraints, cost)
        return {"cost": cost, "min": band.min, "max": band.max}
    return None
