from __future__ import annotations

import math
import statistics

import pytest
import torch
from torch import nn

from blocks import initialise, preset
from tests.blocks.networks import small


def values(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_a_seed_gives_the_same_values_and_another_seed_others() -> None:
    one, same, other = (values(small("basic").build(seed)) for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    drawn = [name for name in one if "conv" in name or "linear" in name]
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


def test_architectures_share_the_values_of_shared_parameters() -> None:
    one = values(small({"kind": "bottleneck", "expansion": 2}).build(0))
    other = values(small({"kind": "bottleneck", "expansion": 2, "attention": "se", "shortcut": "none"}).build(0))
    shared = [name for name in one if name in other and one[name].shape == other[name].shape]
    assert len(shared) > 30
    assert all(torch.equal(one[name], other[name]) for name in shared)


def test_no_two_parameters_share_a_stream() -> None:
    network = small("basic", strides=(1, 1)).build(0)
    first = [block.branch.conv2.weight.flatten()[0].item() for stage in network.stages for block in stage]
    assert len(set(first)) == len(first)


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    small("basic").build(0)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_the_global_generator_chooses() -> None:
    networks = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        networks.append(small("basic").build())
    weights = [network.stem.conv.weight for network in networks]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_convolutions_are_kaiming_normal_by_fan_out() -> None:
    network = preset("resnet18").build(0)
    for conv in (network.stem.conv, network.stages[3][1].branch.conv2, network.stages[2][0].shortcut.conv):
        fan_out = conv.out_channels * conv.kernel_size[0] ** 2
        assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.03)
        assert conv.weight.mean().item() == pytest.approx(0, abs=4 * math.sqrt(2 / fan_out / conv.weight.numel()))


def test_linear_layers_are_uniform_within_one_over_the_root_of_fan_in() -> None:
    linear = preset("resnet18").build(0).head.linear
    bound = 1 / math.sqrt(512)
    assert bound * 0.99 < linear.weight.abs().max().item() <= bound
    assert bound * 0.9 < linear.bias.abs().max().item() <= bound
    assert statistics.pstdev(linear.weight[0].tolist()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize("norm", ["batch", "group", "layer"])
def test_norms_are_one_and_zero_and_the_last_zero_if_asked(norm: str) -> None:
    network = small({"kind": "bottleneck", "norm": norm, "zero_init_residual": True}).build(0)
    for block in network.stages[0]:
        assert (block.branch.norm1.weight == 1).all()
        assert (block.branch.norm3.weight == 0).all()
        assert (block.branch.norm3.bias == 0).all()


def test_initialising_again_undoes_training() -> None:
    network = small({"kind": "basic", "attention": "se", "zero_init_residual": True}).build(0)
    fresh = values(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    network(torch.randn(4, 3, 8, 8))
    initialise(network, 0)
    assert all(torch.equal(fresh[name], tensor) for name, tensor in network.state_dict().items())


def test_a_users_own_modules_reset_themselves_from_the_seed() -> None:
    one, other = nn.Sequential(nn.Embedding(4, 4)), nn.Sequential(nn.Embedding(4, 4))
    initialise(one, 1)
    initialise(other, 1)
    assert torch.equal(one[0].weight, other[0].weight)
    initialise(other, 2)
    assert not torch.equal(one[0].weight, other[0].weight)
