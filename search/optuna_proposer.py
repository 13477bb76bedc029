"""Optuna's samplers behind ask and tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from search.designs.base import Proposal
from search.factors import Choice, Variable

if TYPE_CHECKING:
    import optuna

    from search.designs.search import Search
    from search.space import Space

MakeSampler = Callable[[int], Any]
"""Gives one of Optuna's samplers for a seed."""


class OptunaProposer:
    """Optuna's samplers behind ask and tell. Optuna lives in memory; the record is ours.

    Args:
        make: Called for every proposal: a sampler seeded anew makes a proposal a function of the history alone.
    """

    def __init__(self, space: Space, design: Search, make: MakeSampler) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._design, self._space, self._make = optuna, design, space, make
        directions: list[Literal["maximize", "minimize"]] = [
            "maximize" if name == "val_accuracy" else "minimize" for name in design.objectives
        ]
        self._study = optuna.create_study(directions=directions, sampler=self._sampler(0))
        self._variables = space.in_order
        self._options = {
            variable.name: {level.label if level else variable.baseline: level for level in space.options(variable)}
            for variable in self._variables
            if variable.range is None
        }
        self._asked: dict[int, tuple[optuna.Trial, Choice]] = {}
        self._accepted = self._draws = 0

    def ask(self) -> Proposal:
        self._study.sampler = self._sampler(self._accepted * 10_000 + self._draws)
        self._draws += 1
        trial = self._study.ask()
        choice: Choice = {}
        for variable in self._variables:
            if self._space.active(variable, choice):
                self._suggest(trial, variable, choice)
        self._asked[trial.number] = trial, choice
        return Proposal(trial.number, choice)

    def accept(self, number: int) -> dict[str, Any]:
        self._accepted, self._draws = self._accepted + 1, 0
        return self._memo(number)

    def tell(self, number: int, values: Mapping[str, float] | None) -> None:
        trial, choice = self._asked.pop(number)
        memo = self._memo(number)
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        if values is not None:
            # Numbers of a range are rounded when they become levels: Optuna is told what was tried, as after a restart.
            self._add(choice, values, memo)

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        """Of arms that go on only the first scores count: those all arms have, after as many epochs."""

    def recall(self, choice: Choice, values: Mapping[str, float]) -> None:
        self._add(choice, values, {})

    def remember(self, choice: Choice, values: Mapping[str, float] | None, memo: Mapping[str, Any]) -> None:
        self._accepted += 1
        if values is not None:
            self._add(choice, values, memo)

    def _memo(self, number: int) -> dict[str, Any]:
        """Returns what a sampler notes with a trial, such as NSGA-II's generation."""
        return dict(self._study.get_trials(deepcopy=False)[number].system_attrs)

    def _add(self, choice: Choice, values: Mapping[str, float], memo: Mapping[str, Any]) -> None:
        expressed = self._expressed(choice)
        if expressed is None:
            return
        params, distributions = expressed
        self._study.add_trial(
            self._optuna.trial.create_trial(
                params=params,
                distributions=distributions,
                values=[values[name] for name in self._design.objectives],
                system_attrs=dict(memo),
            )
        )

    def _sampler(self, draw: int) -> Any:
        return self._make((self._design.sampler_seed * 2_654_435_761 + draw) % 2**32)

    def _suggest(self, trial: optuna.Trial, variable: Variable, choice: Choice) -> None:
        distribution = self._distribution(variable)
        value = self._value(trial, variable, distribution)
        if variable.range is not None:
            choice[variable.name] = variable.level(value)
        elif (level := self._options[variable.name][value]) is not None:
            choice[variable.name] = level

    def _value(self, trial: optuna.Trial, variable: Variable, distribution: Any) -> Any:
        if variable.range is None:
            return trial.suggest_categorical(variable.name, distribution.choices)
        suggest = trial.suggest_int if variable.range.whole else trial.suggest_float
        return suggest(variable.name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)

    def _distribution(self, variable: Variable) -> Any:
        distributions, limits = self._optuna.distributions, variable.range
        if limits is None:
            return distributions.CategoricalDistribution(tuple(self._options[variable.name]))
        if limits.whole:
            step = int(limits.step or 1)
            return distributions.IntDistribution(int(limits.low), int(limits.high), log=limits.log, step=step)
        return distributions.FloatDistribution(limits.low, limits.high, log=limits.log, step=limits.step)

    def _expressed(self, choice: Choice) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Returns a choice in Optuna's terms, or None where the baseline's own value lies outside a range."""
        params, distributions = {}, {}
        for variable in self._variables:
            if not self._space.active(variable, choice):
                continue
            distribution = self._distribution(variable)
            level = choice.get(variable.name)
            if variable.range is None:
                value: Any = level.label if level else variable.baseline
            else:
                value = level.value if level else variable.base
            if value is None or isinstance(value, (list, dict)):
                return None
            if not self._holds(variable, value):
                return None
            params[variable.name], distributions[variable.name] = value, distribution
        return params, distributions

    def _holds(self, variable: Variable, value: Any) -> bool:
        limits = variable.range
        if limits is None:
            return value in self._options[variable.name]
        if isinstance(value, str) or not limits.low <= value <= limits.high:
            return False
        grid = None if limits.log else limits.grid()
        return value in grid if grid is not None else (float(value).is_integer() or not limits.whole)
