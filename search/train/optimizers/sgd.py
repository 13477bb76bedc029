"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Flag, Number, Positive
from search.train.optimizers import OPTIMIZERS, NotNegative, OptimizerSpec

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@OPTIMIZERS.register
class Sgd(OptimizerSpec):
    """SGD with momentum, as torch defines it: the learning rate scales the step, not the velocity."""

    kind: Literal["sgd"] = "sgd"
    lr: Positive = 0.1
    """The learning rate at the schedule's peak."""
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.9
    nesterov: Flag = False
    """Whether the gradient looks a step ahead (Sutskever et al., 2013); needs momentum."""
    weight_decay: NotNegative = 0.0001
    """Added to the gradient, times the weight. The default is that of He et al., arXiv:1512.03385."""
    decay_norm_and_bias: Flag = False
    """Whether norm scales, norm shifts and biases are decayed too."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0")
        return self

    @property
    def states(self) -> int:
        return 1 if self.momentum else 0

    def build(self, network: nn.Module) -> Optimizer:
        from torch.optim import SGD

        from search.train.parameters import parameter_groups

        groups = parameter_groups(network, self.weight_decay, self.decay_norm_and_bias)
        return SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, fused=True)
