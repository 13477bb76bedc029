"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Flag, Number, Positive
from search.train.optimizers import OPTIMIZERS, Groups, NotNegative, OptimizerSpec
from search.train.rates import LearningRate

if TYPE_CHECKING:
    from torch.optim import Optimizer

Beta = Annotated[Number, Field(ge=0, lt=1)]


@OPTIMIZERS.register
class AdamW(OptimizerSpec):
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101)."""

    kind: Literal["adamw"] = "adamw"
    lr: LearningRate = 0.001
    """The learning rate at the schedule's peak; ``{base: 0.1, per: 256}`` grows with the batch."""
    beta1: Beta = 0.9
    """How much of the running mean of gradients is kept a step."""
    beta2: Beta = 0.999
    """How much of the running mean of squared gradients is kept a step."""
    epsilon: Positive = 1e-8
    weight_decay: NotNegative = 0.05
    """Each step shrinks a weight by this share, times the learning rate."""
    decay_norm_and_bias: Flag = False
    """Whether norm scales, norm shifts and biases are decayed too."""

    @property
    def states(self) -> int:
        return 2

    def of_groups(self, groups: Groups) -> Optimizer:
        import torch

        return torch.optim.AdamW(groups, self.rate, (self.beta1, self.beta2), self.epsilon, fused=True)
