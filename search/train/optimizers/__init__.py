"""Optimisers, one file each. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from blocks.base import Number, Spec
from blocks.registry import Registry
from search.train.rates import LearningRate, ScaledRate

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

NotNegative = Annotated[Number, Field(ge=0)]
Groups = list[dict[str, Any]]
"""Parameters, and what is special about them, as torch's optimisers take them."""


class OptimizerSpec(Spec, ABC):
    """An optimiser as data."""

    kind: str
    lr: LearningRate
    """The learning rate at the schedule's peak: a number, or a rule such as ``{base: 0.1, per: 256}``."""
    weight_decay: NotNegative
    decay_norm_and_bias: bool

    @property
    @abstractmethod
    def states(self) -> int:
        """How many numbers it remembers of each parameter from step to step; so much memory it takes."""

    @abstractmethod
    def of_groups(self, groups: Groups) -> Optimizer:
        """Returns the optimiser of some parameters, at the full learning rate."""

    def build(self, network: nn.Module) -> Optimizer:
        """Returns the optimiser of all trainable parameters of a network, at the full learning rate."""
        return self.of_groups(self.groups(network.parameters()))

    def groups(self, parameters: Any) -> Groups:
        """Returns parameters in groups: those that decay, and those that don't."""
        from search.train.parameters import parameter_groups

        return parameter_groups(parameters, self.weight_decay, self.decay_norm_and_bias)

    @property
    def rate(self) -> float:
        """The learning rate at the schedule's peak, as a number.

        Raises:
            ValueError: If it is a rule, and no recipe has told the batch size yet.
        """
        if not isinstance(self.lr, ScaledRate):
            return self.lr
        if self.lr.resolved is None:
            raise ValueError("the learning rate is a rule: it takes a recipe, with its batch size, to resolve it")
        return self.lr.resolved


OPTIMIZERS: Registry[OptimizerSpec] = Registry("optimizer", "search.train.optimizers")
