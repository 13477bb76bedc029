"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Flag, Number
from search.train.optimizers import OPTIMIZERS, Groups, NotNegative, OptimizerSpec
from search.train.rates import LearningRate

if TYPE_CHECKING:
    from torch.optim import Optimizer


@OPTIMIZERS.register
class Sgd(OptimizerSpec):
    """SGD with momentum, as torch defines it: the learning rate scales the step, not the velocity."""

    kind: Literal["sgd"] = "sgd"
    lr: LearningRate = 0.1
    """The learning rate at the schedule's peak; ``{base: 0.1, per: 256}`` grows with the batch."""
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

    def of_groups(self, groups: Groups) -> Optimizer:
        from torch.optim import SGD

        return SGD(groups, lr=self.rate, momentum=self.momentum, nesterov=self.nesterov, fused=True)
