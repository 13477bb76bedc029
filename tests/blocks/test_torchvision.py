"""Our presets are torchvision's networks: the published costs, and the same logits with the same weights."""

from __future__ import annotations

import re

import pytest
import torch
from torchvision import models

from blocks import WeightsError, load_torchvision, preset, preset_names
from blocks.presets import preset_family

FAMILIES = r"resnet|resnext|wide_resnet|vgg|regnet|densenet|mobilenet_v2|efficientnet_b|convnext"
THEIRS = [name for name in models.list_models(module=models) if re.match(FAMILIES, name)]
OURS = [name for name in preset_names() if hasattr(preset_family(name), "torchvision_name") and name in THEIRS]
LARGE = 15_000_000
HUGE = 300_000_000
"""Networks of more parameters than these are compared in the slow tests, and in the exhaustive ones."""


def published() -> list[tuple[str, str]]:
    return [(name, weights.name) for name in OURS for weights in models.get_model_weights(name)]


def by_size(names: list[str]) -> list[object]:
    params = {name: preset(name).cost((3, 64, 64)).params for name in names}
    return [
        pytest.param(name, marks=[*[pytest.mark.slow] * (count > LARGE), *[pytest.mark.exhaustive] * (count > HUGE)])
        for name, count in params.items()
    ]


def test_every_network_of_these_families_is_a_preset() -> None:
    assert [name for name in THEIRS if name not in OURS] == []


@pytest.mark.parametrize(("name", "weights"), published())
def test_parameters_and_macs_are_the_published_ones(name: str, weights: str) -> None:
    """To the last parameter, and to the three decimals that torchvision prints of the MACs, at each weights' crop."""
    chosen = models.get_model_weights(name)[weights]
    (side,) = {chosen.transforms.keywords["crop_size"]}
    cost = preset(name).cost((3, side, side))
    assert cost.params == chosen.meta["num_params"]
    assert round(cost.macs / 1e9, 3) == chosen.meta["_ops"]


@pytest.mark.parametrize("name", by_size(OURS))
def test_logits_are_the_same(name: str) -> None:
    torch.manual_seed(0)
    peer = models.get_model(name)
    for module in peer.modules():  # statistics that matter, and scales that let every branch through
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    for parameter_name, parameter in peer.named_parameters():
        if parameter_name.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    peer.eval()
    network = preset(name).build(seed=1).eval()
    load_torchvision(network, peer.state_dict(), name)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, actual = peer(images), network(images)
    assert expected.std() > 1e-6
    assert ((actual - expected).norm() / expected.norm()).item() < 1e-4


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("IMAGENET1K_V1", "weights are named as in 'torchvision:IMAGENET1K_V1'"),
        ("torchvision:IMAGENET1K_V3", "no weights 'IMAGENET1K_V3' for 'resnet50': there are .*; did you mean"),
    ],
)
def test_unknown_weights_name_the_known(weights: str, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        preset("resnet50", weights=weights)


def test_weights_that_can_not_be_had_say_where_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(models.ResNet18_Weights, "get_state_dict", unreachable)
    with pytest.raises(WeightsError, match=r"can't be had from https://.*resnet18.*, into .*checkpoints: no route"):
        preset("resnet18", weights="torchvision:IMAGENET1K_V1")


def test_networks_that_torchvision_lacks_have_no_weights_there() -> None:
    with pytest.raises(WeightsError, match="torchvision has no weights for 'resnet20'"):
        preset("resnet20", weights="torchvision:DEFAULT")


def test_published_weights_are_loaded_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights themselves can't be downloaded in a test: a peer's stand in for them."""
    peer = models.resnet18()
    monkeypatch.setattr(models.ResNet18_Weights, "get_state_dict", lambda *_, **__: peer.state_dict())
    network = preset("resnet18", weights="torchvision:IMAGENET1K_V1")
    assert not network.training
    assert torch.equal(network.head.linear.bias, peer.fc.bias)
