"""Initial values of a network's parameters: each from a generator of its own.

A parameter's values depend on the seed, its name and its shape, and on nothing else. Two architectures that share a
seed therefore share the values of every parameter that both have, and their comparison is paired.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

NORMS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)


@torch.no_grad()
def initialise(network: nn.Module, seed: int) -> None:
    """Sets every parameter, and the running statistics of batch norms, to its initial value.

    Convolutions: normal with variance 2 / fan-out (He et al. 2015, https://arxiv.org/abs/1502.01852), biases 0. Linear
    layers: uniform within 1 / sqrt(fan-in), biases too (torch's own law, and torchvision's). Norms: scale 1 and shift
    0. A convolution or norm whose attribute ``zero_init`` is true: 0. Any other module that has a ``reset_parameters``
    is asked to do it; parameters of modules that have none keep the values that they were built with.

    Args:
        network: Any module. Values are drawn on the CPU, wherever it is.
        seed: From 0 to 2**63 - 1.
    """
    generator = torch.Generator()
    for path, module in network.named_modules():

        def draw(name: str, path: str = path) -> torch.Generator:
            return generator.manual_seed(_seed_of(seed, f"{path}.{name}"))

        if isinstance(module, (_ConvNd, nn.Linear)):
            _initialise_weighted(module, draw)
        elif isinstance(module, NORMS):
            _initialise_norm(module)
        elif callable(reset := getattr(module, "reset_parameters", None)):
            with seeded(draw("reset_parameters").initial_seed()):
                reset()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds the CPU's global generator within a block, and leaves it as it was found."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _initialise_weighted(module: _ConvNd | nn.Linear, draw: Callable[[str], torch.Generator]) -> None:
    weight, bias = torch.empty(module.weight.shape), module.bias
    if getattr(module, "zero_init", False):
        module.weight.zero_()
        if bias is not None:
            bias.zero_()
        return
    if isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.in_features)
        module.weight.copy_(weight.uniform_(-bound, bound, generator=draw("weight")))
        if bias is not None:
            bias.copy_(torch.empty(bias.shape).uniform_(-bound, bound, generator=draw("bias")))
        return
    fan_out = weight.shape[0] * weight[0, 0].numel()
    module.weight.copy_(weight.normal_(0, math.sqrt(2 / fan_out), generator=draw("weight")))
    if bias is not None:
        bias.zero_()


def _initialise_norm(module: nn.Module) -> None:
    if isinstance(module, _BatchNorm):
        module.reset_running_stats()
    for name, parameter in module.named_parameters(recurse=False):
        parameter.fill_(1 if name == "weight" and not getattr(module, "zero_init", False) else 0)


def _seed_of(seed: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
