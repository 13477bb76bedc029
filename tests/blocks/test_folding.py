"""A folded RepVGG is the same function, at the published inference-time cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from blocks import InfeasibleSpec, Metadata, Network, Site, TrainedNetwork, fold, load_model, preset, save_model
from blocks.block import BLOCKS
from blocks.counting import saved_bytes
from blocks.presets import preset_input
from tests.blocks.networks import small

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def trained(spec: Any) -> Network:
    """Returns a network whose norms are like those of a trained one."""
    network: Network = spec.build(0)
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def demand_same(network: Network) -> Network:
    folded = fold(network)
    with torch.no_grad():
        expected, actual = network(IMAGES), folded(IMAGES)
    assert ((actual - expected).norm() / expected.norm()).item() < 1e-4
    assert not torch.equal(actual, expected)
    assert not folded.training
    return folded


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"groups": 2, "kernel": 5},
        {"attention": "se", "activation": "silu"},
        {"attention": {"kind": "se", "place": "pre"}},
        {"norm": "none"},
        {"norm": {"kind": "batch", "epsilon": 0.1}, "attention": {"kind": "se", "place": "post"}},
    ],
)
def test_logits_are_the_same(fields: dict[str, Any]) -> None:
    folded = demand_same(trained(small({"kind": "repvgg", **fields})))
    assert all(stage.block.folded for stage in folded.spec.stages)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.stages.modules())


def test_other_blocks_and_overrides_are_kept() -> None:
    plain = small("repvgg").plain()
    plain["stages"][0]["overrides"] = [{"at": [1], "set": {"groups": 4}}, {"at": [0], "set": {"kind": "basic"}}]
    plain["stages"][1]["block"] = {"kind": "bottleneck"}
    folded = demand_same(trained(small("repvgg").model_validate(plain)))
    stage = folded.spec.stages[0]
    assert (stage.block_at(0).kind, stage.block_at(1).groups, stage.block_at(1).folded) == ("basic", 4, True)
    assert folded.spec.stages[1].block.kind == "bottleneck"


def test_a_preset() -> None:
    demand_same(trained(preset("repvgg_a0")))


def test_what_it_leaves_alone() -> None:
    network = trained(small("repvgg")).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold(network)
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_half_precision_stays() -> None:
    assert fold(trained(small("repvgg")).bfloat16()).head.linear.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("block", ["basic", {"kind": "repvgg", "folded": True}])
def test_nothing_to_fold_is_said(block: Any) -> None:
    with pytest.raises(InfeasibleSpec, match="there is nothing to fold"):
        fold(small(block).build(0))


def test_norms_of_each_image_cannot_be_folded() -> None:
    with pytest.raises(InfeasibleSpec, match="only a batch norm can be folded into a convolution"):
        fold(small({"kind": "repvgg", "norm": "group"}).build(0))


def test_a_folded_block_has_no_norm() -> None:
    assert BLOCKS.parse({"kind": "repvgg", "folded": True}).norm.kind == "none"
    with pytest.raises(ValueError, match="a folded block has its norm in its weights: norm is none then, not batch"):
        BLOCKS.parse({"kind": "repvgg", "folded": True, "norm": "batch"})


def test_places_that_it_does_not_have() -> None:
    with pytest.raises(InfeasibleSpec, match="no place 'inner' for attention: it has pre, output, post"):
        small({"kind": "repvgg", "attention": {"kind": "se", "place": "inner"}}).build(0)


@pytest.mark.parametrize(("stride", "branches"), [(1, 3), (2, 2)])
def test_the_block_written_out(stride: int, branches: int) -> None:
    block = BLOCKS.parse("repvgg").layers(Site(8, 8, stride)).build()
    norms = nn.ModuleList(nn.BatchNorm2d(8) for _ in range(branches))
    three, one = nn.Conv2d(8, 8, 3, stride, 1, bias=False), nn.Conv2d(8, 8, 1, stride, bias=False)
    theirs = nn.ModuleList([three, norms[0], one, *norms[1:]])
    theirs.load_state_dict(dict(zip(theirs.state_dict(), block.state_dict().values(), strict=True)))
    x = torch.randn(4, 8, 6, 6)
    expected = norms[0](three(x)) + norms[1](one(x)) + (norms[2](x) if branches == 3 else 0)
    torch.testing.assert_close(block(x), expected.relu())


@pytest.mark.parametrize("folded", [False, True])
def test_training_memory_is_what_torch_keeps(folded: bool) -> None:
    spec = small({"kind": "repvgg", "folded": folded, "attention": "se"})
    for batch, shape in ((2, (3, 8, 8)), (3, (3, 9, 7))):
        saved = saved_bytes(spec.build(0), torch.randn(batch, *shape))
        assert saved == spec.training_memory(shape, batch).activations


@pytest.mark.parametrize(
    ("name", "millions", "billions"),
    [
        ("a0", 8.31, 1.36),
        ("a1", 12.79, 2.36),
        ("a2", 25.50, 5.12),
        ("b0", 14.34, 3.06),
        ("b1", 51.83, 11.82),
    ],
)
def test_folded_costs_are_the_published_ones(name: str, millions: float, billions: float) -> None:
    """Parameters and MACs of the folded networks as OpenMMLab's model zoo has them."""
    spec = preset(f"repvgg_{name}")
    plain = spec.plain()
    for stage in plain["stages"]:
        stage["block"] = {"kind": "repvgg", "folded": True}
    cost = spec.model_validate(plain).cost(preset_input(f"repvgg_{name}"))
    assert (round(cost.params / 1e6, 2), round(cost.macs / 1e9, 2)) == (millions, billions)


def test_a_loaded_model_keeps_what_it_knows(tmp_path: Path) -> None:
    network = small("repvgg").build(0).eval()
    metadata = Metadata(input=(3, 8, 8), mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0), labels=tuple("abcde"))
    save_model(tmp_path / "model.safetensors", network, metadata)
    folded = fold(load_model(tmp_path / "model.safetensors"))
    assert isinstance(folded, TrainedNetwork)
    assert folded.labels == tuple("abcde")
    assert torch.equal(folded.preprocess.mean.flatten(), torch.tensor((0.1, 0.2, 0.3)))
