"""The plan: which arms there are, what becomes of each, and which trials that makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from blocks import Cost, InfeasibleSpec
from blocks.limits import demand_at
from blocks.source import dotted
from search import paths
from search.arms import Arm, Derived, Trial
from search.configuration import Configuration, Unresolvable
from search.designs.base import DesignSpec, ListedDesign, MatchSpec
from search.factors import Choice
from search.fidelity import Fidelity
from search.match import Unmatched, match, matched_cost
from search.space import Space
from search.stopwatch import Stopwatch
from search.study import Study
from search.tune import Tuning

COST_NAMES = {"macs": "MACs", "params": "parameters", "activations": "activations", "out_channels": "output channels"}

OWN_VALIDATION = "bring their own validation split, which can't be cut anew for every seed"


class Plan:
    """The arms of a study: the baseline first, then those that its design lists or its search proposes.

    Attributes:
        facts: What the design says of its arms as a whole, for arms.json: a fraction's aliases, a population's spaces.
        passed_over: Of a population, why draws were rejected, and how often.

    Raises:
        InputError: If the study can't be planned: an impossible baseline, or no arm that meets the constraints.
    """

    def __init__(self, study: Study, stopwatch: Stopwatch | None = None) -> None:
        self.study = study
        self.stopwatch = stopwatch or Stopwatch(study.spec)
        self.space = Space(study)
        self.rows: list[Arm] = []
        self.arms: dict[str, Arm] = {}
        self.derived: dict[str, Derived] = {}
        self._by_structure: dict[str, Arm] = {}
        self.facts: dict[str, Any] = {}
        self.passed_over: Counter[str] = Counter()
        self.limits = study.spec.limits.whole()
        self.baseline = self._admit_baseline()
        design = study.spec.design
        design.check(self)
        if isinstance(design, ListedDesign):
            for choice in design.choices(self):
                if choice:
                    self._check_possible(choice, self.admit(choice))
            self._check_something_runs()
            self._check_something_matched()
        else:
            self._check_runtimes()
        self._check_confirmable()
        self.tuning = Tuning(self) if study.spec.tune else None
        self.fidelity = Fidelity(self) if study.spec.fidelity else None

    @property
    def adaptive(self) -> bool:
        """Whether arms are still to be proposed while trials run."""
        return bool(self.study.spec.design.adaptive)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The explore seeds."""
        return tuple(self.study.spec.design.seed_list)

    def find(self, arm: str) -> Arm | Derived | None:
        """Returns the arm that runs under an identity, or what is trained beside the arms; None if it is neither."""
        return self.arms.get(arm) or self.derived.get(arm)

    def label(self, arm: str) -> str:
        """Returns what to call an arm, or what is trained beside the arms: that one by its arm and its changes."""
        if arm in self.arms:
            return self.arms[arm].label
        other = self.derived[arm]
        if other.role == "random":
            usual = self.baseline.levels
            return ", ".join(f"{name}={level}" for name, level in other.changes.items() if level != usual.get(name))
        changes = ", ".join(f"{path.rpartition('.')[2]}={value}" for path, value in other.changes.items())
        return f"{self.label(other.of)}, {changes}"

    def judge(self, choice: Choice, *, timed: bool = True) -> Arm:
        """Returns what would become of the arm of a choice, without adding it.

        Args:
            timed: Whether its network is measured, where the study asks for times; else it is judged by arithmetic.
        """
        levels = self.space.columns(choice)
        own_name = self.study.spec.design.called(choice, self.space)
        named = own_name or ", ".join(f"{name}={levels[name]}" for name in choice) or "baseline"
        try:
            configuration = self.space.configuration(choice)
        except Unresolvable as error:
            return Arm("", named, levels, self.space.baseline, None, "rejected", str(error))
        levels = self.space.columns(choice, configuration)
        return self._judged(Arm(configuration.identity, named, levels, configuration, None), timed=timed)

    def admit(self, choice: Choice) -> Arm:
        """Adds the arm of a choice, and its equal-cost twin where the design asks for one; returns the arm's row."""
        return self.take(self.judge(choice))

    def take(self, arm: Arm) -> Arm:
        """Adds an arm that was judged, and its equal-cost twin where the design asks for one; returns its row."""
        arm, twin = self._with_twin(arm)
        self._add(arm)
        if twin is not None:
            self._add(twin)
        return arm

    def judgement(self, arm: Arm) -> dict[str, Any]:
        """Returns what `recall` needs of an arm that runs, as plain data."""
        assert arm.cost is not None
        own = arm.cost
        return {
            "structure": arm.configuration.structure,
            "levels": arm.levels,
            "cost": [own.macs, own.params, own.activations],
        }

    def recall(self, choice: Choice, identity: str, label: str, judgement: Mapping[str, Any] | None) -> Arm:
        """Adds an arm that an earlier session judged, without judging it again; returns its row.

        It is judged anew where nothing was kept, or a factor has come since, or networks are timed.

        Raises:
            ValueError: If it isn't the same arm any more.
        """
        if identity in self.arms:
            return self.arms[identity]
        columns = {variable.name for variable in self.space.variables}
        if not judgement or judgement["levels"].keys() != columns or self.stopwatch.wanted:
            arm = self.take(replace(self.judge(choice), label=label))
            if arm.arm != identity:
                raise ValueError(f"the record's arm {identity} resolves to {arm.arm} now")
            return arm
        configuration = self.space.recalled(choice, identity, judgement["structure"])
        return self._add(Arm(identity, label, judgement["levels"], configuration, Cost(*judgement["cost"])))

    def derive(self, arm: Arm, role: str, changes: dict[str, Any]) -> Derived:
        """Returns an arm's configuration with values changed by path, and keeps it beside the arms.

        Raises:
            Unresolvable, InfeasibleSpec: If there is no such configuration within the study's limits.
        """
        own = arm.configuration
        changed = paths.patched(own.plain(), [(paths.parse(path), value) for path, value in changes.items()])
        configuration = self.space.resolve(changed)
        cost = self._cost(configuration)
        if (broken := self._broken(configuration, cost)) and not arm.outside:
            raise Unresolvable(broken)
        made = Derived(configuration.identity, arm.arm, role, changes, configuration, cost)
        return self.derived.setdefault(made.arm, made)

    def beside(self, arm: Arm) -> str:
        """Keeps an arm that was judged beside the arms, as one drawn at random; returns its identity."""
        own, levels = arm.configuration, {name: label for name, label in arm.levels.items() if label}
        if own.identity not in self.arms:
            assert arm.cost is not None
            made = Derived(own.identity, self.baseline.arm, "random", levels, own, arm.cost, arm.levels)
            self.derived.setdefault(made.arm, made)
        return own.identity

    def set_tuned(self, tuned: list[Arm]) -> None:
        """Makes these, and no others, the arms with a recipe of their own."""
        for arm in [arm for arm in self.rows if arm.tuned_of]:
            del self.arms[arm.arm], self._by_structure[arm.configuration.structure]
        self.rows = [arm for arm in self.rows if arm.tuned_of is None]
        for arm in tuned:
            if self.same(arm.configuration) is None:
                self._add(arm)

    def same(self, configuration: Configuration) -> Arm | None:
        """Returns the arm that trains what a configuration does; None if there is none."""
        return self._by_structure.get(configuration.structure)

    def explore_trials(self) -> list[Trial]:
        """Returns the explore trials of all arms that run: seed by seed, so that a partial study is paired too."""
        if self.study.spec.design.kind == "train":
            return []
        running = [arm.arm for arm in self.rows if arm.status == "run"]
        return [Trial(arm, seed, "explore") for seed in self.seeds for arm in running]

    def _admit_baseline(self) -> Arm:
        source, configuration, design = self.study.source, self.space.baseline, self.study.spec.design
        if _can_not_be_cut(configuration, design):
            place = ("design", "vary", design.vary.index("split"))
            raise source.error(place, f"the {configuration.data.kind} data {OWN_VALIDATION}")
        try:
            cost = self._cost(configuration)
        except InfeasibleSpec as error:
            raise source.error(_place(error), f"the baseline can't be built: {error}") from None
        if (wrong := self.stopwatch.unfit()) is not None:
            raise source.error(wrong[1], wrong[0])
        self._demand_one_runtime(configuration)
        latency = self.stopwatch.begin(configuration)
        broken = self._broken(configuration, cost) or self.study.spec.constraints.slow(latency)
        if broken and (self.study.spec.design.kind == "train"):
            raise source.error(("constraints",), f"the network breaks its own constraint: {broken}")
        reason = f"outside the constraints, as a reference only: {broken}" if broken else ""
        arm = Arm(configuration.identity, "baseline", self.space.columns({}), configuration, cost, reason=reason)
        arm = replace(arm, latency=latency)
        if self._match_spec is not None:
            arm = replace(arm, gap=0.0, twin=arm.arm)
        return self._add(arm)

    def _check_possible(self, choice: Choice, arm: Arm) -> None:
        design = self.study.spec.design
        alone = isinstance(design, ListedDesign) and not design.combines and len(choice) == 1
        if arm.status == "rejected" and arm.cost is None and alone:
            (variable,) = (variable for variable in self.space.free if variable.name in choice)
            place = self.space.level_place(variable, choice[variable.name])
            raise self.space.error(variable, f"the arm {arm.label} is impossible: {arm.reason}", *place)

    @property
    def _match_spec(self) -> MatchSpec | None:
        return getattr(self.study.spec.design, "match", None)

    def _judged(self, arm: Arm, *, timed: bool = True) -> Arm:
        """Costs an arm and holds it against the constraints and the arms that are there already.

        What takes a stopwatch comes last, so that nothing is measured that arithmetic has passed over.
        """
        if _can_not_be_cut(arm.configuration, self.study.spec.design):
            return replace(arm, status="rejected", reason=f"its data {OWN_VALIDATION}")
        try:
            cost = self._cost(arm.configuration)
        except InfeasibleSpec as error:
            return replace(arm, status="rejected", reason=f"can't be built: {error}")
        arm = replace(arm, cost=cost)
        if (same := self.same(arm.configuration)) is not None:
            what = "configuration" if same.arm == arm.arm else "network, trained alike,"
            return replace(arm, arm=same.arm, status="duplicate", reason=f"the same {what} as {same.label}")
        broken = self._broken(arm.configuration, cost)
        if broken is None and timed:
            self._demand_one_runtime(arm.configuration)
            arm = replace(arm, latency=self.stopwatch.of(arm.configuration))
            broken = self.study.spec.constraints.slow(arm.latency)
        return replace(arm, status="rejected", reason=broken) if broken else arm

    def _demand_one_runtime(self, configuration: Configuration) -> None:
        """Raises ``InputError`` at a configuration whose time would be of another runtime than the others'."""
        if (wrong := self.stopwatch.stranger(configuration)) is not None:
            raise self.study.source.error(("latency", "runtime"), wrong)

    def _check_runtimes(self) -> None:
        """Tries levels that a search may come to alone, before anything is trained."""
        for variable in self.space.free if self.stopwatch.wanted else ():
            for level in variable.levels:
                self._demand_one_runtime(self.judge({variable.name: level}, timed=False).configuration)

    def _with_twin(self, arm: Arm) -> tuple[Arm, Arm | None]:
        """Finds an arm's equal-cost twin; None if the arm is at equal cost itself, or has none."""
        spec = self._match_spec
        if spec is None or arm.cost is None or arm.status == "duplicate":
            return arm, None
        target = matched_cost(self.baseline.configuration.network, self.baseline.configuration.input, spec.cost)
        own = arm.configuration
        gap = matched_cost(own.network, own.input, spec.cost) / target - 1
        arm = replace(arm, gap=gap)
        if abs(gap) <= spec.tolerance:
            return replace(arm, twin=arm.arm), None
        try:
            found = match(own.network, own.input, target, spec)
        except Unmatched as error:
            return replace(arm, unmatched=str(error)), None
        configuration = Configuration(found.network, own.train, own.data)
        twin = self._judged(
            Arm(
                configuration.identity,
                f"{arm.label} at equal {COST_NAMES[spec.cost]}",
                arm.levels,
                configuration,
                None,
                match=spec.cost,
                match_of=arm.arm,
                multiplier=found.multiplier,
                gap=found.gap,
            )
        )
        reason = f"its twin is rejected: {twin.reason}" if twin.status == "rejected" else None
        return replace(arm, twin=None if reason else twin.arm, unmatched=reason), twin

    def _check_something_matched(self) -> None:
        """A match that no arm can meet is a mistake of the study; one that some can't is told at those."""
        wanted = [row for row in self.rows if row.match == "none" and row.gap is not None and row is not self.baseline]
        if wanted and all(row.unmatched for row in wanted):
            reasons = "; ".join(f"{row.label}: {row.unmatched}" for row in wanted[:3])
            message = f"no arm can be brought to the baseline's cost. {reasons}"
            raise self.study.source.error(("design", "match"), message)

    def _add(self, arm: Arm) -> Arm:
        self.rows.append(arm)
        if arm.status == "run":
            self.arms[arm.arm] = self._by_structure[arm.configuration.structure] = arm
        return arm

    def _cost(self, configuration: Configuration) -> Cost:
        """Returns what a configuration costs. Raises ``InfeasibleSpec`` if it can't be, or is too large to build."""
        own, recipe = configuration, configuration.train
        demand_at(own.network, own.input, self.limits, recipe.batch_size, recipe.optimizer.states)
        return own.network.cost(own.input)

    def _broken(self, configuration: Configuration, cost: Cost) -> str | None:
        constraints = self.study.spec.constraints
        values = {"macs": cost.macs, "params": cost.params, "activations": cost.activations}
        if constraints.memory is not None:
            values["memory"] = configuration.memory.total
        return constraints.broken(values)

    def _check_something_runs(self) -> None:
        if len(self.arms) > 1 or self.study.spec.design.kind == "train":
            return
        rejected = [row for row in self.rows if row.status == "rejected"]
        if not rejected:
            raise self.study.source.error(("factors",), "the design has no arm beside the baseline")
        reasons = "; ".join(f"{row.label}: {row.reason}" for row in rejected[:3])
        more = f"; and {len(rejected) - 3} more" if len(rejected) > 3 else ""
        raise self.study.source.error(("constraints",), f"no arm can run. {reasons}{more}")

    def _check_confirmable(self) -> None:
        """Refuses lengths of the confirm phase that a recipe's schedule counts beyond: it would be too late then."""
        epochs = self.study.spec.confirm.epochs
        recipes = {} if epochs is None else {arm.configuration.train: arm for arm in self.arms.values()}
        for recipe, arm in recipes.items():
            try:
                recipe.replace(epochs=epochs)
            except ValidationError as error:
                said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                message = f"the arm {arm.label} can't be confirmed with epochs {epochs}: {said}"
                raise self.study.source.error(("confirm", "epochs"), message) from None


def difference(baseline: Configuration, other: Configuration) -> list[dict[str, Any]]:
    """Returns where a configuration differs from the baseline, as rows of path, the baseline's value and the arm's."""
    found = paths.differences(baseline.plain(), other.plain())
    return [{"path": dotted(location), "baseline": first, "arm": second} for location, first, second in found]


def _can_not_be_cut(configuration: Configuration, design: DesignSpec) -> bool:
    return "split" in design.vary and configuration.data.facts().official_validation


def _place(error: InfeasibleSpec) -> tuple[str | int, ...]:
    """Returns the place in the study file that an impossible network is about."""
    return ("network", "stages", error.stage) if isinstance(error.stage, int) else ("network",)
