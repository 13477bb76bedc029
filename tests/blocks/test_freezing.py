"""Frozen statistics, frozen affine, and both: three different things."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from blocks import Network, freeze_batch_norm, unfreeze_batch_norm
from tests.blocks.networks import small

IMAGES = 3 + torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def network() -> Network:
    return small("basic").build(0)


def norms(of: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in of.modules() if isinstance(module, nn.BatchNorm2d)]


def step(of: nn.Module) -> tuple[bool, bool, bool]:
    """Trains a step; returns whether statistics moved, the affine did, and the convolutions did."""
    of.train()
    before = copy.deepcopy(of.state_dict())
    optimizer = torch.optim.SGD(of.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    of(IMAGES).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    moved = [name for name, tensor in of.state_dict().items() if not torch.equal(tensor, before[name])]
    statistics = any("running" in name or "num_batches" in name for name in moved)
    affine = any(".norm" in name and name.endswith(("weight", "bias")) for name in moved)
    return statistics, affine, any("conv" in name for name in moved)


@pytest.mark.parametrize(("statistics", "affine"), [(True, False), (False, True), (True, True)])
def test_what_is_frozen_stays_and_nothing_else(statistics: bool, affine: bool) -> None:
    frozen = network()
    assert freeze_batch_norm(frozen, statistics=statistics, affine=affine) == len(norms(frozen))
    assert step(frozen) == (not statistics, not affine, True)
    assert step(frozen.eval().train()) == (not statistics, not affine, True)


def test_each_mistake_freezes_only_half() -> None:
    """What tutorials do: both of these are silent."""
    without_gradients = network()
    for norm in norms(without_gradients):
        norm.requires_grad_(False)
    assert step(without_gradients) == (True, False, True)
    evaluated = network()
    for norm in norms(evaluated):
        norm.eval()
    assert step(evaluated) == (True, True, True)  # train() has undone it


def test_frozen_statistics_are_the_running_ones() -> None:
    frozen = network()
    for norm in norms(frozen):
        nn.init.uniform_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    expected = frozen.eval()(IMAGES)
    freeze_batch_norm(frozen)
    torch.testing.assert_close(frozen.train()(IMAGES), expected)
    assert frozen.training


@pytest.mark.parametrize(("statistics", "affine"), [(True, False), (False, True), (True, True)])
def test_each_half_is_undone(statistics: bool, affine: bool) -> None:
    frozen = network()
    freeze_batch_norm(frozen)
    unfreeze_batch_norm(frozen, statistics=statistics, affine=affine)
    assert step(frozen) == (statistics, affine, True)


def test_undone_as_if_it_had_not_been() -> None:
    frozen = network()
    freeze_batch_norm(frozen)
    unfreeze_batch_norm(frozen)
    usual = network()
    assert repr(frozen) == repr(usual)
    torch.testing.assert_close(frozen(IMAGES), usual(IMAGES))


def test_twice_is_once() -> None:
    frozen = network()
    freeze_batch_norm(frozen)
    freeze_batch_norm(frozen)
    assert step(frozen) == (False, False, True)
    unfreeze_batch_norm(frozen)
    assert step(frozen) == (True, True, True)


def test_copies_and_checkpointing_keep_it() -> None:
    frozen = network()
    freeze_batch_norm(frozen)
    for copied in (copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
        copied.gradient_checkpointing = True
        assert step(copied) == (False, False, True)
    assert frozen.state_dict().keys() == network().state_dict().keys()


def test_compiles_and_exports() -> None:
    frozen = network()
    freeze_batch_norm(frozen)
    torch._dynamo.reset()
    compiled = torch.compile(frozen.train(), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(IMAGES), frozen(IMAGES))


def test_networks_without_batch_norm_have_none() -> None:
    assert freeze_batch_norm(nn.Sequential(nn.GroupNorm(2, 4))) == 0


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to freeze"):
        freeze_batch_norm(network(), statistics=False, affine=False)


def test_a_class_of_its_own_is_named() -> None:
    class Own(nn.BatchNorm2d):
        pass

    with pytest.raises(TypeError, match="the statistics of a Own can't be frozen"):
        freeze_batch_norm(nn.Sequential(nn.BatchNorm2d(4), Own(4)))
    freeze_batch_norm(Own(4), statistics=False)


def test_an_optimizer_that_has_momentum_leaves_what_is_frozen() -> None:
    trained = network()
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    images = torch.randn(8, 3, 8, 8)
    trained(images).square().sum().backward()
    optimizer.step()
    freeze_batch_norm(trained)
    before = {name: value.clone() for name, value in trained.state_dict().items() if "norm" in name}
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        trained(images).square().sum().backward()
        optimizer.step()
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in before.items())
