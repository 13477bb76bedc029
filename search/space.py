"""The space of a study: its factors bound to its baseline, and the way from a choice of levels to a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from blocks import InfeasibleSpec, NetworkSpec
from blocks.base import did_you_mean, identity
from blocks.source import InputError, Location, dotted
from search import paths
from search.data.spec import DATASETS, DataError, DataSpec
from search.designs.listed import VARIANT
from search.factors import Choice, Factor, Level, Scale, Variable, label
from search.study import Study, fill_in
from search.train.recipe import TrainSpec

FIXED_COLUMNS = [
    "trial",
    "arm",
    "seed",
    "match",
    "phase",
    "status",
    "reason",
    "train_accuracy",
    "train_loss",
    "val_accuracy",
    "val_loss",
    "test_accuracy",
    "epochs_to_target",
    "macs",
    "params",
    "activations",
    "inner_channels",
    "out_channels",
    "epochs",
    "train_seconds",
    "images_per_second",
    "peak_memory",
    "threads",
]


@dataclass(frozen=True)
class Configuration:
    """One resolved configuration: what an arm is. Equal configurations are one arm."""

    network: NetworkSpec
    train: TrainSpec
    data: DataSpec

    @cached_property
    def identity(self) -> str:
        """The hash of the resolved network, recipe and data (where the data lies on disk left aside)."""
        return identity({"network": self.network.plain(), "train": self.train.plain(), "data": self.data.content()})

    @property
    def input(self) -> tuple[int, int, int]:
        """Channels, height and width of the images as the network sees them."""
        return self.data.facts().shape

    def plain(self) -> dict[str, Any]:
        """Returns network, train and data as plain data."""
        return {"network": self.network.plain(), "train": self.train.plain(), "data": self.data.plain()}


class Unresolvable(ValueError):
    """A choice of levels that gives no valid configuration; the message says why."""


class Space:
    """A study's factors, bound to its baseline.

    Raises:
        InputError: If a factor names what isn't there, means nothing, or names the same arm twice.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._factors: dict[str, Factor] = {**study.spec.factors, **study.spec.design.own_factors()}
        self.variables: tuple[Variable, ...] = tuple(
            variable for name, factor in self._factors.items() for variable in self._bind(name, factor)
        )
        self._by_name = {variable.name: variable for variable in self.variables}
        self._check_references()
        self.baseline = self.configuration({})
        self._check_levels()

    @property
    def free(self) -> tuple[Variable, ...]:
        """The variables that are chosen; links only follow."""
        return tuple(variable for variable in self.variables if variable.same_as is None)

    def listed(self, variable: Variable) -> tuple[Level, ...]:
        """Returns a variable's levels in order. Raises ``InputError`` for a range that has no end."""
        levels = variable.listed()
        if levels is None:
            message = "this range has no end of values; give it a step, or use design: search"
            raise self.error(variable, message, "range")
        return levels

    def active(self, variable: Variable, choice: Choice) -> bool:
        """Whether a variable is varied under a choice: whether its ``when`` is met."""
        return all(
            self._label(self._by_name[name], choice) in labels and self.active(self._by_name[name], choice)
            for name, labels in variable.when.items()
        )

    def columns(self, choice: Choice) -> dict[str, str]:
        """Returns every variable's label under a choice; the empty text where it is not varied."""
        return {
            variable.name: self._label(variable, choice) if self.active(variable, choice) else ""
            for variable in self.variables
        }

    def configuration(self, choice: Choice) -> Configuration:
        """Resolves a choice. Shorter paths are applied first, so that replacing a block keeps what is set inside it.

        Raises:
            Unresolvable: If the choice gives no valid network, recipe or data.
        """
        changes = [
            change
            for variable in self.variables
            if self.active(variable, choice)
            for change in self._level_changes(variable, choice)
        ]
        try:
            plain = paths.patched(self.study.baseline, sorted(changes, key=lambda change: len(change[0])))
        except paths.PathError as error:
            raise Unresolvable(str(error)) from None
        return self.resolve(plain)

    def resolve(self, plain: Mapping[str, Any]) -> Configuration:
        """Validates plain data as a configuration. Raises ``Unresolvable``."""
        try:
            data = DATASETS.parse(plain["data"])
            network = NetworkSpec.model_validate(fill_in(plain["network"], data, self.study.filled_in))
            return Configuration(network, TrainSpec.model_validate(plain["train"]), data)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            where = dotted(tuple(details["loc"]))
            raise Unresolvable(f"{where + ': ' if where else ''}{details['msg']}") from None
        except (ValueError, DataError) as error:
            raise Unresolvable(str(error)) from None

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
        if isinstance(declared, Mapping):
            return ("levels", level.label)
        index = next(index for index, other in enumerate(variable.levels) if other is level)
        return ("levels", "scale", index) if isinstance(declared, Scale) else ("levels", index)

    # Binding

    def _bind(self, name: str, factor: Factor) -> list[Variable]:
        if name in FIXED_COLUMNS:
            raise self._error_at(name, f"'{name}' is a fixed column of results.csv; give the factor another name")
        if factor.path is None:
            return [Variable(name, name, None, "baseline", levels=self._patches(name, factor))]
        try:
            path = paths.parse(factor.path)
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
        when = {other: frozenset(label(value) for value in wanted) for other, wanted in factor.when.items()}
        return Variable(
            f"{name}{suffix}", name, path, own, same, levels, factor.range, factor.same_as, factor.times, when
        )

    def _patches(self, name: str, factor: Factor) -> tuple[Level, ...]:
        levels = []
        for text, patch in factor.levels.items():
            changes = []
            for key, value in patch.items():
                try:
                    path = paths.parse(key)
                    if not paths.values(path, self.study.baseline) or path[0] not in {"network", "train", "data"}:
                        raise paths.PathError("a level changes something in network, train or data")
                except paths.PathError as error:
                    raise self._error_at(name, str(error), "levels", text, key) from None
                changes.append((path, value))
            if not changes:
                raise self._error_at(name, "an empty patch changes nothing", "levels", text)
            levels.append(Level(text, text, tuple(changes)))
        return tuple(levels)

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

    # Checks

    def _check_references(self) -> None:
        for variable in self.variables:
            for name, where in [(variable.same_as, "same_as"), *((name, "when") for name in variable.when)]:
                if name is not None and name not in self._factors:
                    known = ", ".join(self._factors)
                    message = f"there is no factor '{name}': there are {known}{did_you_mean(name, self._factors)}"
                    raise self.error(variable, message, where)
        self._by_name = {variable.name: self._aligned(variable) for variable in self.variables}
        self.variables = tuple(self._by_name.values())
        for variable in self.variables:
            self._check_circle(variable, ())
            for other, labels in variable.when.items():
                known_levels = self._by_name[other].listed()
                names = {level.label for level in known_levels or ()} | {self._by_name[other].baseline}
                if known_levels is not None and not labels <= names:
                    message = (
                        f"'{sorted(labels - names)[0]}' is no level of {other}: there are {', '.join(sorted(names))}"
                    )
                    raise self.error(variable, message, "when")
            self._check_link(variable)

    def _aligned(self, variable: Variable) -> Variable:
        """Points references at variables: at the same stage's of a factor with [each], else at the only one."""
        suffix = variable.name.removeprefix(variable.factor)

        def point(factor: str, where: str) -> str:
            names = [other.name for other in self.variables if other.factor == factor]
            if f"{factor}{suffix}" in names:
                return f"{factor}{suffix}"
            if len(names) != 1:
                raise self.error(
                    variable, f"'{factor}' varies by [each], this factor doesn't: which one is meant?", where
                )
            return names[0]

        when = {point(factor, "when"): labels for factor, labels in variable.when.items()}
        same_as = None if variable.same_as is None else point(variable.same_as, "same_as")
        fields = {**variable.__dict__, "when": when, "same_as": same_as}
        return Variable(**fields)

    def _check_circle(self, variable: Variable, above: tuple[str, ...]) -> None:
        if variable.name in above:
            raise self.error(variable, f"goes in a circle: {' -> '.join((*above, variable.name))}")
        for name in [*variable.when, *([variable.same_as] if variable.same_as else [])]:
            self._check_circle(self._by_name[name], (*above, variable.name))

    def _check_link(self, variable: Variable) -> None:
        if variable.same_as is None:
            return
        other = self._by_name[variable.same_as]
        numbers = [value for value in (variable.base, other.base) if isinstance(value, (int, float))]
        if len(numbers) != 2:
            raise self.error(variable, "a link needs one number at both ends in the baseline", "same_as")
        if numbers[0] != numbers[1] * variable.times:
            message = (
                f"the baseline breaks this link: {numbers[0]:g} is not {variable.times:g} times the "
                f"{numbers[1]:g} of {other.name}"
            )
            raise self.error(variable, message, "same_as")

    def _check_levels(self) -> None:
        """Applies every level alone: it must be valid, and no two may be the same arm."""
        for variable in self.free:
            seen: dict[str, Level] = {}
            for level in self._probes(variable):
                choice: Choice = {**self._enabling(variable), variable.name: level}
                place = self.level_place(variable, level)
                try:
                    found = self.configuration(choice).identity
                except Unresolvable as error:
                    raise self.error(variable, f"level '{level.label}' is not possible: {error}", *place) from None
                except InfeasibleSpec:
                    continue
                twin = seen.setdefault(found, level)
                if twin is not level:
                    message = (
                        f"levels '{twin.label}' and '{level.label}' resolve to the same arm ({found}): "
                        "the difference between them does nothing"
                    )
                    raise self.error(variable, message, *place)

    def _probes(self, variable: Variable) -> tuple[Level, ...]:
        levels = variable.listed()
        if variable.range is None:
            return levels or ()
        if levels and len(levels) <= 100:
            return levels
        ends = (variable.range.low, variable.range.high)
        return tuple(variable.level(end) for end in dict.fromkeys(ends))

    def _enabling(self, variable: Variable) -> Choice:
        """Returns a choice under which a conditional variable is varied."""
        choice: Choice = {}
        for name, labels in variable.when.items():
            other = self._by_name[name]
            choice.update(self._enabling(other))
            if other.baseline not in labels:
                choice[name] = next(level for level in other.listed() or () if level.label in labels)
        return choice

    # Application

    def _label(self, variable: Variable, choice: Choice) -> str:
        if variable.same_as is not None:
            followed = self._by_name[variable.same_as]
            level = choice.get(followed.name)
            return variable.baseline if level is None else self._followed(variable, level).label
        return choice[variable.name].label if variable.name in choice else variable.baseline

    def _level_changes(self, variable: Variable, choice: Choice) -> tuple[tuple[paths.Path, Any], ...]:
        if variable.same_as is not None:
            level = choice.get(variable.same_as)
            return () if level is None else self._followed(variable, level).changes
        return choice[variable.name].changes if variable.name in choice else ()

    def _followed(self, variable: Variable, level: Level) -> Level:
        if isinstance(level.value, bool) or not isinstance(level.value, (int, float)):
            raise Unresolvable(f"{variable.name} follows {variable.same_as}, whose level '{level.label}' is no number")
        return variable.level(level.value * variable.times)
