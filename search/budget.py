"""What a search may spend, in one of several currencies, and what it has spent.

Training an epoch on a network is taken to cost three times its MACs for every image: forward once, backward twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from blocks.base import Count, Positive, Spec

if TYPE_CHECKING:
    from search.arms import Arm, Derived, Trial
    from search.designs.base import AdaptiveDesign
    from search.plan import Plan

BACKWARD = 3
"""A training step over a forward pass: the gradients of activations and of weights cost about as much each."""


class BudgetSpec(Spec):
    """What the explore phase of a search may spend, where it isn't counted in training runs: one of these.

    Attributes:
        epochs: Of all trials together, those that were stopped too.
        macs: Of training: three times the forward MACs, for every image of every epoch.
        gpu_hours: The hours that trials train, times the devices that each has; on CPUs, hours of workers.
    """

    epochs: Count | None = None
    macs: Positive | None = None
    gpu_hours: Positive | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a budget is in one of epochs, macs and gpu_hours, not {' and '.join(given) or 'none'}")
        return self

    @property
    def currency(self) -> str:
        """The one that is given."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def named(self) -> dict[str, float]:
        """The limit by its currency."""
        return {self.currency: self.limit}

    @property
    def limit(self) -> float:
        """How much of it there is."""
        return float(getattr(self, self.currency))


def check_budget(plan: Plan, design: AdaptiveDesign) -> None:
    """Raises ``InputError`` where a budget leaves nothing beside the baseline; of hours that can't be known before."""
    if design.budget is None or design.budget.currency == "gpu_hours":
        return
    own, limit, currency = plan.baseline, design.budget.limit, design.budget.currency
    price = ledger_of(plan, design).price(own, 0, own.configuration.train.epochs) * len(design.first_seeds)
    if price >= limit:
        what = f"{price:.3g} MACs of training" if currency == "macs" else f"{price:,.0f} epochs"
        message = f"the baseline alone takes {what}, and the budget is {limit:,.3g}: that leaves nothing for an arm"
        raise plan.study.source.error(("design", "budget", currency), message)


def epoch_macs(plan: Plan, arm: Arm | Derived) -> float:
    """Returns the MACs of training an arm for an epoch, validation left out."""
    assert arm.cost is not None
    from search.estimate import split_sizes

    images, batch = round(split_sizes(arm.configuration.data)[0]), arm.configuration.train.batch_size
    return float(BACKWARD * arm.cost.macs * max(images // batch, 1) * min(batch, max(images, 1)))


def training_macs(plan: Plan, arm: str, entry: Mapping[str, Any]) -> float:
    """Returns the MACs that a trial of an arm trained, by the epochs that it reported."""
    found = plan.find(arm)
    return 0.0 if found is None else epochs_of(entry) * epoch_macs(plan, found)


def epochs_of(entry: Mapping[str, Any]) -> int:
    """Returns how many epochs a trial has been trained for, by what it reported."""
    return len(entry.get("epochs") or ())


@dataclass
class Ledger:
    """What was spent and what is set aside for trials that are to run.

    Attributes:
        currency: ``trials``, ``epochs``, ``macs`` or ``gpu_hours``.
        limit: How much of it there is.
        devices: That a trial has.
    """

    plan: Plan
    currency: str
    limit: float
    devices: float = 1.0
    _spent: dict[str, float] = field(default_factory=dict)
    _aside: dict[str, float] = field(default_factory=dict)
    _pace: tuple[float, float] = (0.0, 0.0)
    _total: float = 0.0

    @property
    def total(self) -> float:
        """What was spent and what is set aside."""
        return self._total

    def price(self, arm: Arm | Derived, begin: int, end: int) -> float:
        """Returns what training an arm from the end of one epoch to the end of another is expected to cost."""
        if self.currency == "trials":
            return 1.0 if begin == 0 else 0.0
        if self.currency == "epochs":
            return float(end - begin)
        macs = (end - begin) * epoch_macs(self.plan, arm)
        if self.currency == "macs":
            return macs
        seconds, trained = self._pace
        return self._hours(macs * seconds / trained) if trained else 0.0

    def fits(self, price: float, share: float = 1.0) -> bool:
        """Whether so much more stays within a share of the budget; of hours, whose prices are guesses, a first one
        may."""
        return self._total + price <= self.limit * share * (1 + 1e-9)

    def set_aside(self, trial: Trial, price: float) -> None:
        """Keeps what a trial is expected to cost."""
        self._change(self._aside, trial.name, price)

    def settle(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        """Takes what a trial has cost so far, by what it reported, in place of what was set aside."""
        self._change(self._aside, trial.name, 0.0)
        if self.currency == "trials":
            spent = 1.0
        elif self.currency == "epochs":
            spent = float(epochs_of(entry))
        elif self.currency == "macs":
            spent = training_macs(self.plan, trial.arm, entry)
        else:
            seconds = float(entry.get("train_seconds") or 0.0)
            self._pace = self._pace[0] + seconds, self._pace[1] + training_macs(self.plan, trial.arm, entry)
            spent = self._hours(seconds)
        self._change(self._spent, trial.name, spent)

    def _hours(self, seconds: float) -> float:
        return seconds * self.devices / 3600

    def _change(self, column: dict[str, float], trial: str, value: float) -> None:
        self._total += value - column.get(trial, 0.0)
        column[trial] = value


def ledger_of(plan: Plan, design: AdaptiveDesign) -> Ledger:
    """Returns the ledger of a search that is to begin."""
    if design.budget is None:
        return Ledger(plan, "trials", float(design.trials or 0))
    gpus = plan.study.spec.ray.gpus
    devices = float(gpus) if isinstance(gpus, float) and gpus else 1.0
    return Ledger(plan, design.budget.currency, design.budget.limit, devices)
