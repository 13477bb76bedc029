"""Other norms in place of batch norms, wherever a network has one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from blocks import InfeasibleSpec, preset, replace_batch_norm
from blocks.parts.norm import NORMS
from blocks.renorming import renormed
from tests.blocks.networks import small

GROUP = NORMS.parse({"kind": "group", "channels_per_group": 4})


@pytest.mark.parametrize(
    "name", ["resnet50", "preactivation_resnet110", "densenet121", "mobilenet_v2", "efficientnet_b0"]
)
def test_no_batch_norm_is_left(name: str) -> None:
    spec = preset(name)
    other = renormed(spec, NORMS.parse("layer"))
    assert "BatchNorm(" in spec.structure
    assert "BatchNorm(" not in other.structure
    shape = (3, 224, 224) if name != "preactivation_resnet110" else (3, 32, 32)
    assert other.cost(shape) == spec.cost(shape)


def test_resnet50_becomes_the_preset_with_group_norms() -> None:
    assert renormed(preset("resnet50"), NORMS.parse({"kind": "group", "groups": 32})) == preset("resnet50_gn")


def test_what_is_trained_is_taken_over() -> None:
    network = small("bottleneck", width=8).build(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(0.5, 1)
    other = replace_batch_norm(network, GROUP)
    values = network.state_dict()
    assert {name for name in values if "running" not in name and "tracked" not in name} == other.state_dict().keys()
    assert all(torch.equal(value, values[name]) for name, value in other.state_dict().items())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in other.modules())
    images = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(other(images)[:1], other(images[:1]))


def test_overrides_have_norms_too() -> None:
    spec = small("basic", width=8).plain()
    spec["stages"][0]["overrides"] = [{"at": [0], "set": {"norm": "batch", "activation": "gelu"}}]
    assert "BatchNorm(" not in renormed(type(small("basic")).model_validate(spec), GROUP).structure


def test_what_takes_no_such_norm_is_said() -> None:
    with pytest.raises(InfeasibleSpec, match="there is no batch norm"):
        renormed(renormed(small("basic", width=8), GROUP), GROUP)
