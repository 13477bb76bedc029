"""Published numbers, equal to the integer (the reference table of the design)."""

from __future__ import annotations

import pytest
import torch

from blocks import Cost, Network, NetworkSpec, measure, preset, preset_names
from blocks.block import Site
from blocks.cost import Tally
from blocks.families.basic import BasicBlockSpec
from blocks.families.bottleneck import BottleneckBlockSpec
from blocks.presets import preset_input

PARAMS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet20": 272_474,
    "resnet56": 855_770,
    "resnet110": 1_730_714,
    "resnet1202": 19_424_026,
    "resnet18_cifar": 11_173_962,
}
BILLION_MACS = {"resnet18": 1.814, "resnet34": 3.664, "resnet50": 4.089, "resnet101": 7.801, "resnet152": 11.514}


def usual(name: str) -> tuple[int, int, int]:
    spec = preset(name)
    return 3, spec.stem.usual_size, spec.stem.usual_size


@pytest.mark.parametrize("name", PARAMS)
def test_parameters(name: str) -> None:
    assert preset(name).cost(usual(name)).params == PARAMS[name]


@pytest.mark.parametrize("name", BILLION_MACS)
def test_macs_equal_torchvisions_own_to_its_three_decimals(name: str) -> None:
    assert round(preset(name).cost((3, 224, 224)).macs / 1e9, 3) == BILLION_MACS[name]


def test_resnet50() -> None:
    assert preset("resnet50").cost((3, 224, 224)) == Cost(4_089_184_256, 25_557_032, 11_315_688)


def test_resnet56() -> None:
    assert preset("resnet56").cost((3, 32, 32)) == Cost(125_747_840, 855_770, 544_778)


def test_resnet18_for_cifar() -> None:
    cost = preset("resnet18_cifar").cost((3, 32, 32))
    assert (cost.params, cost.macs) == (11_173_962, 555_422_720)


EVERYDAY = 13_000_000
"""Networks of more parameters than this are built in the slow tests."""


@pytest.mark.parametrize(
    "name",
    [
        name
        if (cost := preset(name).cost(preset_input(name))).params < EVERYDAY and cost.macs < 1e9
        else pytest.param(name, marks=pytest.mark.slow)
        for name in preset_names()
        if "1202" not in name  # as many blocks of the same kind as others
    ],
)
def test_what_is_counted_on_the_built_network_is_the_same(name: str) -> None:
    spec, shape = preset(name), preset_input(name)
    with torch.device("meta"):
        network = Network(spec)
    assert measure(network, shape) == spec.cost(shape)


def convolution_weights(block: BasicBlockSpec | BottleneckBlockSpec, in_channels: int, width: int) -> int:
    """Weights of a block's convolutions: at a map of 1x1 that its shortcut doesn't change, its MACs."""
    tally = Tally()
    block.layers(Site(in_channels, width, 1)).trace((in_channels, 1, 1), tally)
    return tally.cost().macs


def test_a_bottleneck_saves_94_percent_at_outer_width_256() -> None:
    assert convolution_weights(BasicBlockSpec(), 256, 256) == 1_179_648
    assert convolution_weights(BottleneckBlockSpec(), 256, 64) == 69_632


def test_as_the_first_stage_uses_them_it_saves_5_6_percent() -> None:
    assert convolution_weights(BasicBlockSpec(), 64, 64) == 73_728


def test_widths_of_the_last_stage() -> None:
    assert (preset("resnet50").inner_channels, preset("resnet50").out_channels) == (512, 2048)
    assert (preset("resnet18").inner_channels, preset("resnet18").out_channels) == (512, 512)


def test_every_preset_survives_yaml(tmp_path: object) -> None:
    for name in preset_names():
        spec = preset(name)
        assert NetworkSpec.model_validate_json(spec.canonical_json) == spec
