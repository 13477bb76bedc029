"""Steps scaled by the running size of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Flag, Number, Positive
from search.train.optimizers import OPTIMIZERS, Groups, NotNegative, OptimizerSpec
from search.train.rates import LearningRate

if TYPE_CHECKING:
    from torch.optim import Optimizer


@OPTIMIZERS.register
class RmsProp(OptimizerSpec):
    """RMSprop (Tieleman and Hinton, 2012) as torch defines it: epsilon is added outside the square root."""

    kind: Literal["rmsprop"] = "rmsprop"
    lr: LearningRate = 0.01
    """The learning rate at the schedule's peak; ``{base: 0.1, per: 256}`` grows with the batch."""
    alpha: Annotated[Number, Field(ge=0, lt=1)] = 0.99
    """How much of the running mean of squared gradients is kept a step; MobileNets and EfficientNets take 0.9."""
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    epsilon: Positive = 1e-8
    weight_decay: NotNegative = 0.0001
    """Added to the gradient, times the weight."""
    decay_norm_and_bias: Flag = False
    """Whether norm scales, norm shifts and biases are decayed too."""

    @property
    def states(self) -> int:
        return 2 if self.momentum else 1

    def of_groups(self, groups: Groups) -> Optimizer:
        from torch.optim import RMSprop

        return RMSprop(groups, self.rate, self.alpha, self.epsilon, momentum=self.momentum, foreach=True)
