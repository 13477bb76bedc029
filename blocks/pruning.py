"""Channels taken out of a trained network by the L1 norms of their filters: what is left is an ordinary network.

Li et al. 2016, https://arxiv.org/abs/1608.08710. Channels that a residual sum, a gate or a depthwise convolution ties
together go together (as in Fang et al. 2023, https://arxiv.org/abs/2301.12900). The pruned network has a spec, whose
widths are the pruned ones, and can be trained, saved and exported like any other.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from blocks.base import did_you_mean
from blocks.channels import Channels
from blocks.errors import InfeasibleSpec
from blocks.initialisation import seeded
from blocks.narrowing import Place, demand_fraction, narrowed, tied, uniform, widths
from blocks.network import Network
from blocks.spec import NetworkSpec

Scope = Literal["uniform", "global"]
SCOPES: tuple[str, ...] = get_args(Scope)


@torch.no_grad()
def prune(network: Network, fraction: float, scope: Scope = "uniform", multiple_of: int = 1) -> Network:
    """Returns a network without a fraction of its channels, those of the smallest filters, in evaluation mode.

    Args:
        network: Trained; it stays as it is.
        fraction: Of the channels, above 0 and below 1.
        scope: Whether every width loses that fraction; or those lose most whose filters are smallest against the mean
            of their layer.
        multiple_of: What every width is to be a multiple of, by taking less: engines are fast at multiples of 8.

    Raises:
        InfeasibleSpec: If that leaves nothing, takes nothing, or the network has layers that can't be pruned.
        ValueError: If there is no such scope.
    """
    spec = pruned_spec(network, fraction, scope, multiple_of)
    with seeded(0):
        smaller = Network(spec)
    channels = Channels.of(network, smaller)
    smaller.load_state_dict(channels.cut(network.state_dict()), strict=True)
    some = next(network.parameters())
    return smaller.to(some.device, some.dtype).eval()


def pruned_spec(network: Network, fraction: float, scope: Scope = "uniform", multiple_of: int = 1) -> NetworkSpec:
    """Returns the spec of the network that `prune` makes. Raises as that does."""
    if scope not in SCOPES:
        raise ValueError(f"the scope is {' or '.join(SCOPES)}, not {scope!r}{did_you_mean(str(scope), SCOPES)}")
    if scope == "uniform":
        return uniform(network.spec, fraction, multiple_of)
    spec = _global(network, fraction, multiple_of)
    if spec == network.spec:
        raise InfeasibleSpec(f"pruning {fraction:.1%} takes no channel away")
    return spec


@torch.no_grad()
def _global(network: Network, fraction: float, multiple_of: int) -> NetworkSpec:
    """Returns a spec whose widths have lost what of their channels is among the smallest of the whole network."""
    demand_fraction(fraction)
    halves = {group: narrowed(network.spec, dict.fromkeys(group, 0.5)) for group in tied(network.spec)}
    owned = {group: _norms_that_shrink(network, half) for group, half in halves.items()}
    every = torch.cat(list(owned.values()))
    threshold = every.sort().values[min(len(every) - 1, int(len(every) * fraction))]
    shares: dict[Place, float] = {}
    for group, norms in owned.items():
        share = float((norms >= threshold).float().mean()) if len(norms) else 1.0
        shares |= {place: max(share, 1 / widths(network.spec)[place]) for place in group}  # a channel at least
    return narrowed(network.spec, shares, multiple_of)


def _norms_that_shrink(network: Network, half: NetworkSpec) -> Tensor:
    """Returns the norms of the channels of which there are fewer in a narrower network."""
    with torch.device("meta"):
        smaller = Network(half)
    return Channels.of(network, smaller).shrinking(network.state_dict())
