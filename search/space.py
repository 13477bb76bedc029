"""The space of a study: the way from a choice of levels to a configuration."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from blocks import InfeasibleSpec, NetworkSpec
from blocks.expand import GeneratedNetworkSpec
from blocks.generators import GENERATORS
from blocks.source import dotted
from search import paths
from search.baseline import fill_in
from search.binding import Binding
from search.configuration import Configuration, Recalled, Unresolvable
from search.data.spec import DATASETS, DataError, DataSpec
from search.factors import OFF, Choice, Level, Variable
from search.study import Study
from search.train.fits import misfit
from search.train.initial import Unfit
from search.train.recipe import TrainSpec

PROBES = 17
"""At so many numbers a range without an end of them is tried, both ends among them."""


class Space:
    """A study's factors, bound to its baseline.

    Raises:
        InputError: If a factor names what isn't there, means nothing, or names the same arm twice.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._binding = Binding(study)
        self._by_name = self._binding.variables
        self.variables: tuple[Variable, ...] = tuple(self._by_name.values())
        self._options: dict[str, tuple[Level | None, ...]] = {}
        self._recipes: dict[str, TrainSpec] = {}
        self._datas: dict[str, DataSpec] = {}
        self.error, self.level_place = self._binding.error, self._binding.level_place
        self._settled = False
        try:
            self.baseline = self.configuration({})
            self._settled = True
        except Unresolvable as error:
            raise study.source.error(error.location, str(error)) from None
        self._check_levels()

    @cached_property
    def free(self) -> tuple[Variable, ...]:
        """The variables that are chosen; links only follow."""
        return tuple(variable for variable in self.variables if variable.same_as is None)

    @cached_property
    def in_order(self) -> tuple[Variable, ...]:
        """The free variables, each after those that its ``when`` depends on."""
        found: list[Variable] = []
        waiting, names = list(self.free), {variable.name for variable in self.free}
        while waiting:
            done = {variable.name for variable in found}
            found += [each for each in waiting if each.when.keys() <= done | (each.when.keys() - names)]
            waiting = [variable for variable in waiting if variable not in found]
        return tuple(found)

    def listed(self, variable: Variable) -> tuple[Level, ...]:
        """Returns a variable's levels in order. Raises ``InputError`` for a range that has no end."""
        levels = variable.listed()
        if levels is None:
            message = "this range has no end of values; give it a step, or use design: search"
            raise self.error(variable, message, "range")
        return levels

    def options(self, variable: Variable) -> tuple[Level | None, ...]:
        """Returns a variable's listed levels; None, first, stands for the baseline's own value where it has one."""
        if variable.name not in self._options:
            levels: tuple[Level | None, ...] = self.listed(variable)
            if self.active(variable, {}):  # else it means nothing at the baseline, and has no value there
                levels = (None, *(level for level in levels if level and level.label != variable.baseline))
            self._options[variable.name] = levels
        return self._options[variable.name]

    def active(self, variable: Variable, choice: Choice) -> bool:
        """Whether a variable is varied under a choice: whether its ``when`` is met."""
        if not variable.when:  # most: a search asks some thousand times an arm
            return True
        return all(
            self._label(self._by_name[name], choice) in labels and self.active(self._by_name[name], choice)
            for name, labels in variable.when.items()
        )

    def columns(self, choice: Choice, configuration: Configuration | None = None) -> dict[str, str]:
        """Returns every variable's label under a choice; the empty text where it is not varied.

        Args:
            configuration: What the choice resolves to, if it does: a level of one factor may take away what another
                varies (a basic block has no expansion), and then the other's label is empty too.
        """
        plain = None if configuration is None else self._seen(choice, configuration)
        return {
            variable.name: self._label(variable, choice)
            if self.active(variable, choice) and (plain is None or _is_there(variable, plain))
            else ""
            for variable in self.variables
        }

    def configuration(self, choice: Choice) -> Configuration:
        """Resolves a choice. Shorter paths are applied first, so that replacing a block keeps what is set inside it.

        Raises:
            Unresolvable: If the choice gives no valid network, recipe or data.
        """
        try:
            return self.resolve(self._patched(choice))
        except paths.PathError as error:
            raise Unresolvable(str(error)) from None

    def recalled(self, choice: Choice, identity: str, structure: str) -> Configuration:
        """Returns the configuration of a choice that was resolved before: its network is resolved when it is needed."""
        own = self._patched(choice, "train", "data")
        train, data = self._recipe(own["train"]), self._data(own["data"])
        return Recalled(identity, structure, train, data, lambda: self.configuration(choice))

    def _patched(self, choice: Choice, *sections: str) -> dict[str, Any]:
        """Returns the baseline, or some of its sections, with a choice's changes, not yet validated.

        What no change is about is the baseline's own, not a copy.

        Raises:
            PathError: If a change leads nowhere.
        """
        changes = [
            change
            for variable in self.variables
            if self.active(variable, choice)
            for change in self._level_changes(variable, choice)
            if not sections or change[0][0] in sections
        ]
        baseline = self.study.baseline
        if not changes:
            return {name: baseline[name] for name in sections or baseline}
        named = {str(path[0]) for path, _ in changes}
        changed = {name: baseline[name] for name in named} if named <= baseline.keys() else baseline
        patched = paths.patched(changed, sorted(changes, key=lambda change: len(change[0])))
        return {name: patched.get(name, baseline[name]) for name in sections or baseline}

    def _seen(self, choice: Choice, configuration: Configuration) -> dict[str, Any]:
        """Returns a configuration as paths see it: a generated network with its generator, which it has forgotten."""
        plain = configuration.plain()
        if isinstance(self.study.spec.network, GeneratedNetworkSpec):
            network = self._patched(choice)["network"]
            if "generate" in network:
                generator = GENERATORS.parse(network["generate"]).plain()
                plain["network"] = {**plain["network"], "generate": generator}
        return plain

    def resolve(self, plain: Mapping[str, Any]) -> Configuration:
        """Validates plain data as a configuration. Raises ``Unresolvable``."""
        try:
            data = self._data(plain["data"])
            network = NetworkSpec.model_validate(fill_in(plain["network"], data, self.study.filled_in))
            recipe = self._recipe(plain["train"])
            if recipe.init is not None:
                network = recipe.init.narrowed(network)
            found = Configuration(network, recipe, data)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            where = dotted(tuple(details["loc"]))
            message = details["msg"].removeprefix("Value error, ")
            raise Unresolvable(f"{where + ': ' if where else ''}{message}") from None
        except Unfit as error:
            raise Unresolvable(str(error), ("train", "init", *filter(None, [error.field]))) from None
        except (ValueError, DataError) as error:
            raise Unresolvable(str(error)) from None
        if (wrong := misfit(found.train, found.network, found.input, data.facts().classes)) is not None:
            raise Unresolvable(*wrong)
        return found

    def _data(self, plain: Any) -> DataSpec:
        """Returns data; arms on the same share one."""
        if plain is self.study.baseline["data"] and self._settled:
            return self.baseline.data
        key = json.dumps(plain, sort_keys=True, default=str)
        if key not in self._datas:
            self._datas[key] = DATASETS.parse(plain)
        return self._datas[key]

    def _recipe(self, plain: Mapping[str, Any]) -> TrainSpec:
        """Returns a recipe; arms that are trained alike share one, unless it reads a file."""
        if plain.get("init") is not None or plain.get("distill") is not None:
            return TrainSpec.model_validate(plain)
        if plain is self.study.baseline["train"] and self._settled:
            return self.baseline.train
        key = json.dumps(plain, sort_keys=True)  # where 2.0 is not 2, as in a field that counts
        if key not in self._recipes:
            self._recipes[key] = TrainSpec.model_validate(plain)
        return self._recipes[key]

    def _check_levels(self) -> None:
        """Applies every level alone: it must be valid, and no two may be the same arm, or train the same network."""
        for variable in self.free:
            if variable.listed() is not None and not any(self.options(variable)):
                raise self.error(variable, "this factor has no level beside the baseline's own")
            if variable.range is not None:
                self._check_range(variable)
                continue
            seen: dict[str, tuple[Level, Configuration]] = {}
            for level in self._probes(variable):
                enabling = self._enabling(variable)
                place = self.level_place(variable, level)
                found = self._probed(variable, level)
                if level.label == OFF and self._sameness(found) == self._sameness(self.configuration(enabling)):
                    raise self.error(variable, "the baseline is without it already: 'off' takes nothing off", *place)
                twin, other = seen.setdefault(self._sameness(found), (level, found))
                if twin is not level:
                    same = found.identity == other.identity
                    message = (
                        f"levels '{twin.label}' and '{level.label}' "
                        f"{f'resolve to the same arm ({found.identity})' if same else 'build the same network'}: "
                        "the difference between them does nothing"
                    )
                    raise self.error(variable, message, *place)

    def _check_range(self, variable: Variable) -> None:
        """Refuses a range all of whose numbers are the same arm, whatever the other factors are.

        That some are is no mistake: two numbers of a generator may well build one network, and are duplicates of the
        plan then.
        """
        limits, levels = variable.range, self._probes(variable)
        assert limits is not None
        for level in levels if variable.listed() else (levels[0], levels[-1]):
            self._probed(variable, level)
        if len(levels) > 1 and all(self._all_the_same(variable, levels, choice) for choice in self._around(variable)):
            message = f"every number from {limits.low:g} to {limits.high:g} builds the same network: it does nothing"
            raise self.error(variable, message, "range")

    def _all_the_same(self, variable: Variable, levels: tuple[Level, ...], choice: Choice) -> bool:
        found: set[str] = set()
        for level in levels:
            try:
                found.add(self._sameness(self.configuration({**choice, variable.name: level})))
            except Unresolvable:
                continue  # no arm, so none that is the same
            if len(found) > 1:
                return False
        return True

    def _around(self, variable: Variable) -> Iterator[Choice]:
        """Yields choices of the other factors under which a variable may do something."""
        yield self._enabling(variable)
        if self.study.spec.design.combines:
            from search.draw import draw

            generator = random.Random(0)
            yield from ({**draw(self, generator), **self._enabling(variable)} for _ in range(PROBES))

    def _probed(self, variable: Variable, level: Level) -> Configuration:
        """Returns what a level alone resolves to. Raises ``InputError`` if it is not possible."""
        try:
            return self.configuration({**self._enabling(variable), variable.name: level})
        except Unresolvable as error:
            place = self.level_place(variable, level)
            raise self.error(variable, f"level '{level.label}' is not possible: {error}", *place) from None

    def _sameness(self, configuration: Configuration) -> str:
        """Returns a text that two levels may not share.

        Where levels of several factors meet in an arm, what does nothing at the baseline may do something elsewhere;
        there only equal fields are a mistake, and equal networks are duplicates of the plan.
        """
        if self.study.spec.design.combines:
            return configuration.identity
        try:
            return configuration.structure
        except InfeasibleSpec:
            return configuration.identity  # the plan says what is wrong with it

    def _probes(self, variable: Variable) -> tuple[Level, ...]:
        levels = variable.listed()
        if variable.range is None:
            return levels or ()
        if levels and len(levels) <= 100:
            return levels
        low, high = variable.range.low, variable.range.high
        numbers = [low + (high - low) * index / (PROBES - 1) for index in range(PROBES)]
        spread = [round(number) if variable.range.whole else number for number in numbers]
        return tuple(variable.level(number) for number in dict.fromkeys(spread))

    def _enabling(self, variable: Variable) -> Choice:
        """Returns a choice under which a conditional variable is varied."""
        choice: Choice = {}
        for name, labels in variable.when.items():
            other = self._by_name[name]
            choice.update(self._enabling(other))
            if other.baseline not in labels:
                choice[name] = next(level for level in other.listed() or () if level.label in labels)
        return choice

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


def _is_there(variable: Variable, plain: Mapping[str, Any]) -> bool:
    return variable.path is None or variable.base is None or paths.is_there(variable.path, plain)
