"""Presets by timm's names are timm's networks: as many parameters, and the same logits with the same weights."""

from __future__ import annotations

import re
import warnings

import pytest
import torch

from blocks import preset, preset_names
from blocks.presets import preset_family
from blocks.tensors import copy_into
from blocks.torchvision_weights import renamed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import timm

NAMES = [name for name in preset_names() if hasattr(preset_family(name), "timm_name") and timm.is_model(name)]
LARGE = 20_000_000


@pytest.mark.parametrize("family", ["resnet50d", "seresnet50", "ecaresnet50d", "resnet50_gn", "resnetv2_50"])
def test_the_families_are_there(family: str) -> None:
    assert family in NAMES


@pytest.mark.parametrize(
    "name",
    [n if preset(n).cost((3, 64, 64)).params < LARGE else pytest.param(n, marks=pytest.mark.slow) for n in NAMES],
)
def test_logits_are_the_same(name: str) -> None:
    torch.manual_seed(0)
    peer = timm.create_model(name)
    for module in peer.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.GroupNorm)):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    peer.eval()
    spec = preset(name)
    assert spec.cost((3, 64, 64)).params == sum(parameter.numel() for parameter in peer.parameters())
    network = spec.build(seed=1).eval()
    rename = preset_family(name).timm_name
    tensors = {key: tensor for key, tensor in peer.state_dict().items() if not re.search(r"\.filt$", key)}
    copy_into(network, renamed(network, tensors, lambda tensor: rename(name, tensor)), "timm's weights")
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, actual = peer(images), network(images)
    assert expected.std() > 1e-6
    assert ((actual - expected).norm() / expected.norm()).item() < 1e-4
