from __future__ import annotations

import pytest

from blocks import UnknownPreset, preset, preset_names
from blocks.presets import preset_input


def test_every_family_of_the_field_has_its_presets() -> None:
    named = """
        resnet50 resnet20 resnet20_zero_padded resnext50_32x4d wide_resnet50_2 wrn28_10 resnext29_8x64d vgg16 vgg16_bn
        regnet_x_400mf regnet_y_400mf densenet121 mobilenet_v2 efficientnet_b0 efficientnet_b7 convnext_tiny repvgg_a0
        resnet50d seresnet50 ecaresnet50d resnet50_gn resnetv2_50 preactivation_resnet110 regnet_x_200mf
    """
    assert set(named.split()) <= set(preset_names())


def test_every_preset_runs_at_the_size_that_it_is_published_for() -> None:
    for name in preset_names():
        assert preset(name).cost(preset_input(name)).macs > 0


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(
        UnknownPreset, match=r"'resnet_50'; did you mean 'resnet50'\? Of \d+ .* the nearest are resnet50, "
    ):
        preset("resnet_50")


@pytest.mark.parametrize("name", ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet1202"])
def test_cifar_resnets_have_as_many_layers_as_they_say(name: str) -> None:
    blocks = sum(stage.depth for stage in preset(name).stages)
    assert 2 * blocks + 2 == int(name.removeprefix("resnet"))
