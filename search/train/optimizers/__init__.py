"""Optimisers, one file each. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from blocks.base import Number, Spec
from blocks.registry import Registry

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

NotNegative = Annotated[Number, Field(ge=0)]


class OptimizerSpec(Spec, ABC):
    """An optimiser as data."""

    kind: str

    @property
    @abstractmethod
    def states(self) -> int:
        """How many numbers it remembers of each parameter from step to step; so much memory it takes."""

    @abstractmethod
    def build(self, network: nn.Module) -> Optimizer:
        """Returns the optimiser of all trainable parameters of a network, at the full learning rate."""


OPTIMIZERS: Registry[OptimizerSpec] = Registry("optimizer", "search.train.optimizers")
