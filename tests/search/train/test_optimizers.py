"""What holds for every optimiser, and each one's first step against its formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from blocks import NetworkSpec
from search.train.optimizers import OPTIMIZERS


def decaying(kind: str, weight_decay: float, asked: bool) -> dict[str, Any]:
    """Returns an optimizer that decays all that it may; Muon leaves norms and biases to another."""
    spec = {"kind": kind, "lr": 0.1, "weight_decay": weight_decay, "decay_norm_and_bias": asked}
    if kind == "rmsprop":
        spec["epsilon"] = 1  # else the first step is the gradient's sign, whatever is added to it
    return {**spec, "rest": {"kind": "sgd", "weight_decay": weight_decay}} if kind == "muon" else spec


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
        before, _, decayed = step(decaying(kind, 0.5, asked))
        _, _, free = step(decaying(kind, 0, asked))
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


def test_rmsprop() -> None:
    spec = {"kind": "rmsprop", "lr": 0.01, "alpha": 0.9, "weight_decay": 0.1, "decay_norm_and_bias": True}
    for before, gradient, after in zip(*step(spec), strict=True):
        gradient = gradient + 0.1 * before
        expected = before - 0.01 * gradient / ((0.1 * gradient**2).sqrt() + 1e-8)
        torch.testing.assert_close(after, expected)


def trained(optimizer: torch.optim.Optimizer, module: nn.Module, steps: int = 3) -> list[torch.Tensor]:
    """Takes some steps on fixed images; returns the parameters after."""
    images = torch.randn(5, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    for _ in range(steps):
        optimizer.zero_grad()
        module(images).square().sum().backward()
        optimizer.step()
    return [parameter.detach() for parameter in module.parameters()]


@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_is_torchs_where_torch_has_it(nesterov: bool) -> None:
    ours, theirs = (
        nn.Sequential(nn.Flatten(), nn.Linear(32, 12, bias=False), nn.Linear(12, 40, bias=False)) for _ in "ab"
    )
    theirs.load_state_dict(ours.state_dict())
    fields = {"lr": 0.05, "momentum": 0.9, "nesterov": nesterov, "weight_decay": 0.1}
    found = trained(OPTIMIZERS.parse({"kind": "muon", **fields}).build(ours), ours)
    expected = trained(torch.optim.Muon(theirs.parameters(), **fields), theirs)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, atol=0.002, rtol=0)  # bfloat16, summed in another order


def test_muon_takes_a_step_of_equal_size_in_every_direction() -> None:
    spec = {"kind": "muon", "lr": 0.1, "rest": {"kind": "sgd", "lr": 0.01, "momentum": 0, "weight_decay": 0}}
    before, gradients, after = step(spec)
    for start, gradient, end in zip(before, gradients, after, strict=True):
        if start.ndim == 1:
            torch.testing.assert_close(end, start - 0.01 * gradient)
        else:
            rows, columns = start.flatten(1).shape
            values = torch.linalg.svdvals((end - start).flatten(1)) / (0.1 * max(1, rows / columns) ** 0.5)
            assert values.min() > 0.6
            assert values.max() < 1.3


def test_muon_leaves_the_head_and_depthwise_convolutions_to_the_rest() -> None:
    network = NetworkSpec.model_validate(
        {
            "in_channels": 3,
            "stem": {"kind": "conv3x3", "width": 8},
            "stages": [{"block": "inverted_bottleneck", "depth": 1, "width": 8}],
            "head": {"kind": "linear", "num_classes": 10},
        }
    ).build(seed=0)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    first, *others = OPTIMIZERS.parse("muon").build(network).param_groups
    assert first["lr"] == 0.02
    taken = {names[id(parameter)] for parameter in first["params"]}
    rest = {names[id(parameter)] for group in others for parameter in group["params"]}
    assert taken | rest == set(names.values())
    assert not taken & rest
    assert all(network.get_parameter(name).ndim == 4 and network.get_parameter(name).shape[1] > 1 for name in taken)
    assert any(network.get_parameter(name).shape[1:] == (1, 3, 3) for name in rest)
    assert {name for name in rest if name.startswith("head.")}
    assert len(taken) == 3  # the stem, and the two 1x1 convolutions


def test_muon_refuses_itself_for_the_rest() -> None:
    with pytest.raises(ValueError, match="name another optimizer"):
        OPTIMIZERS.parse({"kind": "muon", "rest": "muon"})
