"""Synaptic flow: how much of what goes in reaches the end, through all paths of a network's weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from search.proxies import PROXIES, ProxySpec

if TYPE_CHECKING:
    from torch import nn

    from search.arms import Arm


@PROXIES.register
class SynFlow(ProxySpec):
    """The logarithm of the synaptic flow at the initial values of seed 0 (Tanaka et al. 2020, arXiv:2006.05467)."""

    kind: Literal["synflow"] = "synflow"

    def score(self, arm: Arm) -> float:
        from search.train.settings import cpu_threads

        own = arm.configuration
        with cpu_threads(1):  # trials have the others, and more would wait for them
            return synflow(own.network.build(seed=0), own.input)


def synflow(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Returns the logarithm of the sum over weights w of w dR/dw, where R is the sum of what a network of absolute
    weights, without biases, puts out for an input of ones.

    Norms let everything through: what they divide by would take the flow out again (as in the authors' code, where
    batch norms stand in eval mode at their initial values), and a scale that begins at 0 would stop it.

    Args:
        network: It is changed.
        shape: Of one input, without the batch.
    """
    import torch

    from blocks.initialisation import NORMS

    network.double().eval()
    for module in network.modules():
        if isinstance(module, NORMS):
            module.register_forward_hook(lambda _, given, __: given[0])
    weights = []
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
            if parameter.dim() > 1:
                weights.append(parameter)
            else:
                parameter.zero_()
    flow = network(torch.ones(1, *shape, dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(flow, weights, allow_unused=True)
    total = sum(
        float((weight.detach() * gradient).sum())
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is not None
    )
    return math.log(total) if total > 0 and math.isfinite(total) else -math.inf
