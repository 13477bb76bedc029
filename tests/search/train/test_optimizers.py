"""What holds for every optimiser, and each one's first step against its formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from search.train.optimizers import OPTIMIZERS


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))


def step(spec: dict[str, Any]) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
    """Takes one step; returns the parameters before, their gradients, and the parameters after."""
    module = network()
    optimizer = OPTIMIZERS.parse(spec).build(module)
    before = [parameter.detach().clone() for parameter in module.parameters()]
    module(torch.randn(5, 2, 4, 4)).square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]
    optimizer.step()
    return before, gradients, [parameter.detach() for parameter in module.parameters()]


@pytest.mark.parametrize("kind", OPTIMIZERS.kinds())
def test_every_optimizer_lowers_a_loss(kind: str) -> None:
    module, images = network(), torch.randn(8, 2, 4, 4)
    optimizer = OPTIMIZERS.parse({"kind": kind, "lr": 0.01}).build(module)
    losses = []
    for _ in range(20):
        loss = module(images).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("kind", OPTIMIZERS.kinds())
def test_norms_and_biases_are_decayed_only_on_request(kind: str) -> None:
    for asked in (False, True):
        spec = {"kind": kind, "lr": 0.1, "weight_decay": 0.5, "decay_norm_and_bias": asked}
        before, _, decayed = step(spec)
        _, _, free = step({**spec, "weight_decay": 0})
        for start, with_decay, without in zip(before, decayed, free, strict=True):
            moved = not torch.equal(with_decay, without)
            assert moved == ((asked or start.ndim > 1) and bool(start.any()))


@pytest.mark.parametrize("kind", OPTIMIZERS.kinds())
def test_frozen_parameters_stay(kind: str) -> None:
    module = network()
    module[0].weight.requires_grad = False
    groups = OPTIMIZERS.parse(kind).build(module).param_groups
    assert all(parameter is not module[0].weight for group in groups for parameter in group["params"])


def test_sgd() -> None:
    spec = {"kind": "sgd", "lr": 0.2, "momentum": 0.5, "weight_decay": 0.1, "decay_norm_and_bias": True}
    for nesterov, factor in ((False, 1.0), (True, 1.5)):  # Nesterov's first step is longer by the momentum
        for before, gradient, after in zip(*step({**spec, "nesterov": nesterov}), strict=True):
            torch.testing.assert_close(after, before - 0.2 * factor * (gradient + 0.1 * before))


def test_adamw() -> None:
    spec = {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1, "decay_norm_and_bias": True}
    for before, gradient, after in zip(*step(spec), strict=True):
        expected = before * (1 - 0.01 * 0.1) - 0.01 * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(after, expected)


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        OPTIMIZERS.parse({"kind": "sgd", "momentum": 0, "nesterov": True})
