"""Gradients, updates and sizes of a network's weights, block by block, without waiting for the device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from blocks.network import Network
from search.train.diagnosis.places import places


class Weights:
    """The weights of convolutions and linear layers, in the order of the blocks.

    Norms' scales and biases are left out: they are few, and their gradients are of another size.

    Attributes:
        names: The places that have weights.
    """

    def __init__(self, network: Network) -> None:
        own = {name: _weights(module) for name, module in places(network).items()}
        own = {name: weights for name, weights in own.items() if weights}
        self.names = tuple(own)
        self.tensors = [weight for weights in own.values() for weight in weights]
        ends = [0, *torch.tensor([len(weights) for weights in own.values()]).cumsum(0).tolist()]
        self._slices = [slice(*ends) for ends in pairwise(ends)]

    def gradients(self) -> Tensor:
        """Returns the Euclidean norm of every weight's gradient, in the order of ``tensors``; 0 where there is none."""
        return norms([weight.grad for weight in self.tensors], self.tensors[0].device)

    def sizes(self) -> Tensor:
        """Returns the Euclidean norm of every weight, in the order of ``tensors``."""
        return norms(self.tensors, self.tensors[0].device)

    def copy(self) -> list[Tensor]:
        """Returns the weights as they are now."""
        return [weight.detach().clone() for weight in self.tensors]

    def moved(self, before: Sequence[Tensor]) -> Tensor:
        """Returns the norm of how far every weight is from what it was."""
        now = [weight.detach() for weight in self.tensors]
        return norms(torch._foreach_sub(now, list(before)), now[0].device)

    def by_place(self, norms: Sequence[float]) -> list[float]:
        """Returns one norm a place of ``names``, given one a weight."""
        return [sum(norm**2 for norm in norms[own]) ** 0.5 for own in self._slices]


@torch.no_grad()
def norms(tensors: Iterable[Tensor | None], device: torch.device) -> Tensor:
    """Returns the Euclidean norm of each tensor, 0 for None: float32, on the device."""
    given = list(tensors)
    there = [tensor.detach() for tensor in given if tensor is not None]
    found = torch.zeros(len(given), device=device)
    if there:
        which = [index for index, tensor in enumerate(given) if tensor is not None]
        values = torch.stack(torch._foreach_norm(there)).float()
        if len(there) == len(given):
            return values
        found[which] = values
    return found


def _weights(module: nn.Module) -> list[nn.Parameter]:
    return [weight for weight in module.parameters() if weight.ndim > 1 and weight.requires_grad]
