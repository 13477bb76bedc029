"""What one batch of noise with random labels tells about a network at its initial values."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks.cost import Shape
from blocks.initialisation import seeded
from blocks.layers import Measured
from blocks.network import Network
from blocks.show.watch import biases_taken_away, deviations
from blocks.spec import NetworkSpec
from blocks.walk import trace

SEED = 0
ATTEMPTS = 3


class Pulse(NamedTuple):
    """What passed through one block.

    Attributes:
        name: Of the module.
        std: The standard deviation of what came out.
        gradient: The Euclidean norm of the gradient of its weights (convolutions and linear layers, not norms and
            biases); None if it has none, or they wait for a scale that starts at 0.
    """

    name: str
    std: float
    gradient: float | None


class Reading(NamedTuple):
    """What a batch told.

    Attributes:
        loss: The cross-entropy.
        pulses: Of the stem, each block, and the head.
        unreached: Parameters that no gradient reaches.
        waiting: Parameters that none reached this time: those before others that start at 0, or before silent units.
        biases: In blocks of a user's own, modules whose bias a batch norm takes away.
    """

    loss: float
    pulses: tuple[Pulse, ...]
    unreached: tuple[str, ...]
    waiting: tuple[str, ...]
    biases: tuple[str, ...]


def read(spec: NetworkSpec, shape: Shape, batch_size: int) -> Reading:
    """Builds a network and runs one batch forward and backward; the same each time.

    Raises:
        InfeasibleSpec: If there can be no such network, or it is over the limits.
        BlockError: If a module fails.
    """
    measured = {name for part in trace(spec, shape) if isinstance(part.layer, Measured) for name in part.names()}
    network = spec.build(SEED)
    places = _places(network)
    own = {name: module for name, module in places.items() if name in measured}
    with seeded(SEED):
        images = torch.randn(batch_size, *shape)
        labels = torch.randint(spec.head.num_classes, (batch_size,))
        with deviations(places) as stds, biases_taken_away(own) as biases:
            loss = _backward(network, images, labels)
        pulses = tuple(Pulse(name, stds[name], _gradient_of(module)) for name, module in places.items())
        still = _without_gradient(network)
        never = [name for name in unreached(spec, images) if name in still] if still else []
    waiting = tuple(name for name in still if name not in never)
    return Reading(loss, pulses, tuple(never), waiting, tuple(biases))


def unreached(spec: NetworkSpec, images: Tensor) -> list[str]:
    """Returns the names of the parameters that no gradient reaches, from any of several initial values.

    All that starts at 0 is moved first: what stands before it is given no gradient until then. Several, because the
    few units of a narrow layer may be silent for all images.
    """
    names: list[str] | None = None
    for seed in range(ATTEMPTS):
        network = spec.build(seed)
        with torch.no_grad(), seeded(seed):
            for parameter in network.parameters():
                if not parameter.any():
                    parameter.normal_(0, 0.1)
        network(images).square().sum().backward()
        still = _without_gradient(network)
        names = [name for name in still if names is None or name in names]
        if not names:
            break
    return names or []


def _without_gradient(network: nn.Module) -> list[str]:
    return [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]


def _backward(network: Network, images: Tensor, labels: Tensor) -> float:
    loss = functional.cross_entropy(network(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item()


def _places(network: Network) -> dict[str, nn.Module]:
    blocks = {f"stages.{stage}.{index}": block for (stage, index), block in network.blocks()}
    return {"stem": network.stem, **blocks, "head": network.head}


def _gradient_of(module: nn.Module) -> float | None:
    gradients = [parameter.grad for parameter in module.parameters() if parameter.dim() > 1]
    squares = sum(gradient.double().square().sum().item() for gradient in gradients if gradient is not None)
    return squares**0.5 if squares else None
