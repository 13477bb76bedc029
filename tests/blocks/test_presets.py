from __future__ import annotations

import pytest

from blocks import UnknownPreset, preset, preset_names


def test_names() -> None:
    imagenet = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    cifar = ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet1202", "resnet18_cifar"]
    assert sorted(preset_names()) == sorted(imagenet + cifar)


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UnknownPreset, match=r"'resnet_50': known are .*resnet152.*; did you mean 'resnet50'\?"):
        preset("resnet_50")


@pytest.mark.parametrize("name", ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet1202"])
def test_cifar_resnets_have_as_many_layers_as_they_say(name: str) -> None:
    blocks = sum(stage.depth for stage in preset(name).stages)
    assert 2 * blocks + 2 == int(name.removeprefix("resnet"))
