"""Factorial: every combination of the factors' levels, or a fraction of them; the baseline is always one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Count, Spec, Text, did_you_mean, there_are
from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice, Level, Variable
from search.fraction import Runs, Term, aliases, d_optimal, regular

if TYPE_CHECKING:
    from search.plan import Plan
    from search.space import Space

MAX_ARMS = 20_000


class FractionSpec(Spec):
    """Which combinations are run: ``{resolution: 4}``, or ``{d_optimal: 12, interactions: [[block, depth]]}``.

    Attributes:
        resolution: Of a regular two-level fraction, the smallest that there is: at 3 main effects are told from each
            other, at 4 from interactions of two factors too, at 5 also those from each other.
        d_optimal: So many runs, of any numbers of levels, that tell the terms best.
        interactions: What they are to tell beside the main effects, each by its factors.
    """

    resolution: Annotated[Count, Field(ge=3)] | None = None
    d_optimal: Annotated[Count, Field(ge=2)] | None = None
    interactions: tuple[Annotated[tuple[Text, ...], Field(min_length=2)], ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.resolution is None) == (self.d_optimal is None):
            raise ValueError("a fraction has either a resolution or a number of d_optimal runs")
        if self.resolution is not None and self.interactions:
            raise ValueError("the resolution says which interactions can be told; only d_optimal takes a list of them")
        return self


@DESIGNS.register
class Factorial(ListedDesign):
    """Every combination of levels, or a fraction. A factor whose ``when`` is not met keeps the baseline's own value.

    Attributes:
        fraction: Which combinations are run, if not all. Exactly these are the arms; one is the baseline.
    """

    combines: ClassVar[bool] = True
    kind: Literal["factorial"] = "factorial"
    fraction: FractionSpec | None = None

    def choices(self, plan: Plan) -> Iterator[Choice]:
        if self.fraction is None:
            plan.facts["fraction"] = {"kind": "full"}
            yield from _all(plan.space)
            return
        variables = plan.space.free
        options = [_unconditional(plan.space, variable) for variable in variables]
        runs, plan.facts["fraction"] = self._runs(plan, options)
        for run in runs:
            levels = (of[index] for of, index in zip(options, run, strict=True))
            yield {variable.name: level for variable, level in zip(variables, levels, strict=True) if level}
        self._check_whole(plan)

    def _check_whole(self, plan: Plan) -> None:
        """Refuses a fraction of which a run can't run, or has no twin where costs are held equal."""
        runs = [row for row in plan.rows if row.match == "none"]
        for row in runs:
            if row.status != "run":
                what = f"{row.label} is {row.status} ({row.reason})"
                raise plan.study.source.error(
                    ("design", "fraction"), f"the run {what}, and a fraction needs every one of its runs"
                )
        for row in runs:
            if row.unmatched:
                message = f"the run {row.label} can't be brought to the baseline's cost ({row.unmatched})"
                needs = "and the effects of a fraction at equal cost need every one of its runs there"
                raise plan.study.source.error(("design", "match"), f"{message}, {needs}")

    def _runs(self, plan: Plan, options: list[tuple[Level | None, ...]]) -> tuple[Runs, dict[str, Any]]:
        """Returns the runs as indices of levels, and what arms.json says of them. Raises ``InputError``."""
        assert self.fraction is not None
        variables, error = plan.space.free, plan.study.source.error
        names, resolution = [variable.name for variable in variables], self.fraction.resolution
        if len(variables) < 2:
            raise error(("design", "fraction"), "a fraction is one of two factors or more")
        try:
            if resolution is not None:
                for variable, of in zip(variables, options, strict=True):
                    if len(of) != 2:
                        message = f"a fraction by resolution takes factors of two levels, and this one has {len(of)}"
                        raise plan.space.error(variable, f"{message}, the baseline's own among them: use d_optimal")
                runs = regular(len(variables), resolution)
                chains = aliases(runs, names)
                return runs, {"kind": "resolution", "resolution": resolution, "runs": len(runs), "aliases": chains}
            assert self.fraction.d_optimal is not None
            terms = [self._term(plan, index, names) for index in range(len(self.fraction.interactions))]
            runs, efficiency = d_optimal([len(of) for of in options], self.fraction.d_optimal, terms)
        except ValueError as problem:
            raise error(("design", "fraction"), str(problem)) from None
        told = [[name] for name in names] + [[names[index] for index in term] for term in terms]
        return runs, {"kind": "d_optimal", "runs": len(runs), "efficiency": round(efficiency, 6), "terms": told}

    def _term(self, plan: Plan, number: int, names: list[str]) -> Term:
        assert self.fraction is not None
        place = ("design", "fraction", "interactions", number)
        term = self.fraction.interactions[number]
        for name in term:
            if name not in names:
                message = f"there is no factor '{name}': {there_are(names)}{did_you_mean(name, names)}"
                raise plan.study.source.error(place, message)
        if len(set(term)) < len(term) or set(term) in [set(other) for other in self.fraction.interactions[:number]]:
            raise plan.study.source.error(place, "an interaction is of different factors, and is named once")
        return tuple(names.index(name) for name in term)


def _unconditional(space: Space, variable: Variable) -> tuple[Level | None, ...]:
    if variable.when:
        raise space.error(variable, "a fraction leaves no cell out, so its factors take no condition", "when")
    return space.options(variable)


def _all(space: Space) -> Iterator[Choice]:
    grids: list[tuple[Level | None, ...]] = []
    size = 1
    for variable in space.free:
        grids.append(space.options(variable))
        size *= len(grids[-1])
        if size > MAX_ARMS:
            raise space.error(variable, f"the full factorial has more than {MAX_ARMS:,} arms; use design: search")
    seen: set[tuple[tuple[str, str], ...]] = set()
    for combination in itertools.product(*grids):
        full = {variable.name: level for variable, level in zip(space.free, combination, strict=True) if level}
        choice = {
            variable.name: full[variable.name]
            for variable in space.free
            if variable.name in full and space.active(variable, full)
        }
        # Combinations that differ only in factors which are switched off are one arm.
        key = tuple((name, level.label) for name, level in choice.items())
        if key not in seen:
            seen.add(key)
            yield choice
