"""Binding a study's factors to its baseline: every factor becomes one variable, or one a stage.

All that can be said of a factor without trying a level is checked here: that its paths lead somewhere, that what it
refers to is there, and that references don't go in circles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from blocks.base import did_you_mean, there_are
from blocks.source import InputError, Location, dotted
from search import paths
from search.columns import FIXED_COLUMNS
from search.designs.listed import VARIANT
from search.factors import OFF, Factor, Level, Scale, Variable, label
from search.study import Study


class Binding:
    """The variables of a study, by name, in the order of its factors.

    Raises:
        InputError: If a factor names what isn't there, or refers to it.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._factors: dict[str, Factor] = {**study.spec.factors, **study.spec.design.own_factors()}
        bound = [variable for name, factor in self._factors.items() for variable in self._bind(name, factor)]
        self._check_names(bound)
        self.variables: dict[str, Variable] = {variable.name: self._aligned(variable, bound) for variable in bound}
        for variable in self.variables.values():
            self._check_circle(variable, ())
            self._check_conditions(variable)
            self._check_link(variable)

    def error(self, variable: Variable, message: str, *below: str | int) -> InputError:
        """Returns an error at a factor's place in the study file."""
        return self._error_at(variable.factor, message, *below)

    def _error_at(self, factor: str, message: str, *below: str | int) -> InputError:
        top: Location = (
            ("design", "arms") if factor == VARIANT and factor not in self.study.spec.factors else ("factors", factor)
        )
        below = below[1:] if top[0] == "design" and below[:1] == ("levels",) else below
        return self.study.source.error((*top, *below), message, at_key=not below)

    def level_place(self, variable: Variable, level: Level) -> tuple[str | int, ...]:
        """Returns where a level is written, below its factor."""
        declared = self._factors[variable.factor].levels
        if variable.range is not None:
            return ("range",)
        if level.label == OFF and self._factors[variable.factor].off is not None:
            return (OFF,)
        if isinstance(declared, Mapping):
            return ("levels", level.label)
        index = next(index for index, other in enumerate(variable.levels) if other is level)
        return ("levels", "scale", index) if isinstance(declared, Scale) else ("levels", index)

    # Binding

    def _bind(self, name: str, factor: Factor) -> list[Variable]:
        if name in FIXED_COLUMNS:
            raise self._error_at(name, f"'{name}' is a fixed column of results.csv; give the factor another name")
        if self.study.spec.design.only_off and factor.off is None and factor.same_as is None:
            kind = self.study.spec.design.kind
            message = f"{kind} takes parts off: say by 'off' what there is in place of this one, such as off: 0.0"
            raise self._error_at(name, message)
        when = {other: frozenset(label(value) for value in wanted) for other, wanted in factor.when.items()}
        if factor.path is None:
            return [Variable(name, name, None, _own(factor), levels=self._patches(name, factor), when=when)]
        try:
            path = self._parsed(factor.path)
            branches = paths.each(path, self.study.baseline)
            found = [paths.values(branch, self.study.baseline) for branch in branches]
        except paths.PathError as error:
            raise self._error_at(name, str(error), "path") from None
        if path[0] not in {"network", "train", "data"}:
            raise self._error_at(name, "a factor varies something in network, train or data", "path")
        if not all(found):
            raise self._error_at(name, "there is nothing at this path to vary", "path")
        at = [index for index, part in enumerate(path) if part == "each"]
        return [
            self._variable(name, factor, branch, places, "".join(f"[{branch[index]}]" for index in at))
            for branch, places in zip(branches, found, strict=True)
        ]

    def _variable(
        self, name: str, factor: Factor, path: paths.Path, places: list[tuple[Location, Any]], suffix: str
    ) -> Variable:
        values = [value for _, value in places]
        same = values[0] if all(value == values[0] for value in values) else None
        own = label([self._as_written(place, value) for place, value in places])
        levels: tuple[Level, ...] = ()
        if isinstance(factor.levels, Scale):
            own, levels = "1", self._scaled(name, factor.levels, path, places)
        elif isinstance(factor.levels, Mapping):
            levels = tuple(Level(text, text, ((path, value),)) for text, value in factor.levels.items())
            own = next((text for text, value in factor.levels.items() if label(value) == own), own)
        elif factor.levels is not None:
            levels = tuple(Level(label(value), value, ((path, value),)) for value in factor.levels)
        if factor.off is not None:
            off = Level(OFF, factor.off, ((path, factor.off),))
            levels = (off,) if self.study.spec.design.only_off else (*levels, off)
        when = {other: frozenset(label(value) for value in wanted) for other, wanted in factor.when.items()}
        return Variable(
            f"{name}{suffix}", name, path, own, same, levels, factor.range, factor.same_as, factor.times, when
        )

    def _patches(self, name: str, factor: Factor) -> tuple[Level, ...]:
        levels = []
        for text, patch, place in self._written_patches(factor):
            changes = []
            for key, value in patch.items():
                try:
                    path = self._parsed(key)
                    if not paths.values(path, self.study.baseline) or path[0] not in {"network", "train", "data"}:
                        raise paths.PathError("a level changes something in network, train or data")
                except paths.PathError as error:
                    raise self._error_at(name, str(error), *place, key) from None
                changes.append((path, value))
            if not changes:
                raise self._error_at(name, "an empty patch changes nothing", *place)
            levels.append(Level(text, text, tuple(changes)))
        return tuple(levels)

    def _written_patches(self, factor: Factor) -> Iterator[tuple[str, Mapping[str, Any], Location]]:
        """Yields every patch of a factor without a path, by name, with where it is written below the factor."""
        levels = {} if self.study.spec.design.only_off else factor.levels or {}
        for text, patch in levels.items():
            yield text, patch, ("levels", text)
        if factor.off is not None:
            yield OFF, factor.off, (OFF,)

    def _parsed(self, text: str) -> paths.Path:
        """Returns a path. Raises ``PathError``, also for what a generator writes: it is not there to be varied."""
        path, network = paths.parse(text), self.study.baseline["network"]
        if path[:1] == ("network",) and "generate" in network:
            if path[1:2] == ("stages",):
                raise paths.PathError(
                    "the stages are written by the generator: vary its own numbers (network.generate...), give all "
                    "blocks a field (network.generate.block.attention), or write the stages out"
                )
            if len(path) > 2 and path[1] not in network:
                raise paths.PathError(
                    f"the {path[1]} is written by the generator: vary network.{path[1]} as a whole, or write it beside "
                    "'generate'"
                )
        return path

    def _scaled(
        self, name: str, scale: Scale, path: paths.Path, places: list[tuple[Location, Any]]
    ) -> tuple[Level, ...]:
        for location, value in places:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self._error_at(name, f"{dotted(location)} is {value!r}, which can't be scaled", "levels", "scale")
        return tuple(
            Level(label(factor), label(factor), tuple((place, scale.applied(value, factor)) for place, value in places))
            for factor in scale.scale
        )

    def _as_written(self, location: Location, value: Any) -> Any:
        """Returns a mapping as the user wrote it (without the defaults) for its label; other values as they are."""
        if not isinstance(value, dict):
            return value
        written: Any = self.study.source.data
        for part in location:
            listed = isinstance(written, list) and isinstance(part, int) and part < len(written)
            if not listed and not (isinstance(written, dict) and part in written):
                return value.get("kind", value)
            written = written[part]
        return written

    # References

    def _check_names(self, bound: list[Variable]) -> None:
        for variable in bound:
            for name, where in [(variable.same_as, "same_as"), *((name, "when") for name in variable.when)]:
                if name is not None and name not in self._factors:
                    known = there_are(self._factors)
                    message = f"there is no factor '{name}': {known}{did_you_mean(name, self._factors)}"
                    raise self.error(variable, message, where)

    def _aligned(self, variable: Variable, bound: list[Variable]) -> Variable:
        """Points references at variables: at the same stage's of a factor with [each], else at the only one."""
        suffix = variable.name.removeprefix(variable.factor)

        def point(factor: str, where: str) -> str:
            names = [other.name for other in bound if other.factor == factor]
            if f"{factor}{suffix}" in names:
                return f"{factor}{suffix}"
            if len(names) != 1:
                message = f"'{factor}' varies by [each], this factor doesn't: which one is meant?"
                raise self.error(variable, message, where)
            return names[0]

        when = {point(factor, "when"): labels for factor, labels in variable.when.items()}
        same_as = None if variable.same_as is None else point(variable.same_as, "same_as")
        return replace(variable, when=when, same_as=same_as)

    def _check_circle(self, variable: Variable, above: tuple[str, ...]) -> None:
        if variable.name in above:
            raise self.error(variable, f"goes in a circle: {' -> '.join((*above, variable.name))}")
        for name in [*variable.when, *([variable.same_as] if variable.same_as else [])]:
            self._check_circle(self.variables[name], (*above, variable.name))

    def _check_conditions(self, variable: Variable) -> None:
        for name, labels in variable.when.items():
            levels = self.variables[name].listed()
            if levels is None:
                message = f"{name} is a range without steps, which has no single levels to be a condition"
                raise self.error(variable, message, "when")
            known = {level.label for level in levels} | {self.variables[name].baseline}
            if not labels <= known:
                unknown = sorted(labels - known)[0]
                message = f"'{unknown}' is no level of {name}: {there_are(sorted(known))}"
                raise self.error(variable, message, "when")

    def _check_link(self, variable: Variable) -> None:
        if variable.same_as is None:
            return
        other = self.variables[variable.same_as]
        numbers = [value for value in (variable.base, other.base) if isinstance(value, (int, float))]
        if len(numbers) != 2:
            raise self.error(variable, "a link needs one number at both ends in the baseline", "same_as")
        if numbers[0] != numbers[1] * variable.times:
            message = (
                f"the baseline breaks this link: {numbers[0]:g} is not {variable.times:g} times the "
                f"{numbers[1]:g} of {other.name}"
            )
            raise self.error(variable, message, "same_as")


def _own(factor: Factor) -> str:
    """Returns the name of the baseline's own value of a factor that is made of patches."""
    return "on" if factor.levels is None else "baseline"
