"""Steps of equal size in every direction of a weight matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Count, Flag, Number
from search.train.optimizers import OPTIMIZERS, Groups, NotNegative, OptimizerSpec
from search.train.rates import LearningRate

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer


@OPTIMIZERS.register
class Muon(OptimizerSpec):
    """Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): momentum, made orthogonal by a few
    Newton-Schulz iterations in bfloat16.

    It takes the weights of convolutions, as matrices of one row a filter, and of linear layers. Depthwise
    convolutions, the head, norms and biases go to ``rest``.
    """

    kind: Literal["muon"] = "muon"
    lr: LearningRate = 0.02
    """The learning rate at the schedule's peak; ``{base: 0.1, per: 256}`` grows with the batch."""
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.95
    nesterov: Flag = True
    """Whether the gradient looks a step ahead."""
    iterations: Count = 5
    """Of Newton-Schulz."""
    weight_decay: NotNegative = 0.0
    """Each step shrinks a weight by this share, times the learning rate."""
    decay_norm_and_bias: Flag = False
    """Whether ``rest`` decays norm scales, norm shifts and biases too, by its own ``weight_decay``."""
    rest: Annotated[OptimizerSpec, OPTIMIZERS] = Field(default_factory=lambda: OPTIMIZERS.parse("sgd"))
    """The optimizer of everything else, at its own learning rate, on the same schedule."""

    @model_validator(mode="after")
    def _rest_is_another(self) -> Self:
        if self.rest.kind == "muon":
            raise ValueError("muon leaves to 'rest' what is no matrix: name another optimizer there, such as sgd")
        return self

    @property
    def states(self) -> int:
        return max(1, self.rest.states)

    def build(self, network: nn.Module) -> Optimizer:
        from search.train.orthogonal import OrthogonalMomentum

        matrices = hidden_matrices(network)
        chosen = {id(matrix) for matrix in matrices}
        rest = self.rest.replace(decay_norm_and_bias=True) if self.decay_norm_and_bias else self.rest
        others = rest.groups(parameter for parameter in network.parameters() if id(parameter) not in chosen)
        return OrthogonalMomentum(
            matrices,
            rest.of_groups(others) if any(group["params"] for group in others) else None,
            lr=self.rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            iterations=self.iterations,
            weight_decay=self.weight_decay,
        )

    def of_groups(self, groups: Groups) -> Optimizer:
        raise TypeError("muon takes a whole network: it can't be the rest of another optimizer")


def hidden_matrices(network: nn.Module) -> list[Tensor]:
    """Returns the trainable weights of a network's convolutions and linear layers, the head's left out.

    A depthwise convolution's filters each see a channel of their own: there is nothing to make orthogonal.
    """
    from torch.nn import Conv2d, Linear

    return [
        module.weight
        for name, module in network.named_modules()
        if isinstance(module, (Conv2d, Linear))
        and not (isinstance(module, Conv2d) and module.groups == module.in_channels > 1)
        and not name.startswith("head")
        and module.weight.requires_grad
    ]
