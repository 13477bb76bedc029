"""Networks of the convolutional families by their published figures, beside those of torchvision and timm."""

from __future__ import annotations

import pytest

from blocks import Cost, NetworkSpec, preset

COUNTED = {
    "preactivation_resnet110": 1_730_522,
    "preactivation_resnet164": 1_703_258,
    "preactivation_resnet1001": 10_327_706,
    "wrn28_10": 36_479_194,
    "densenet_bc100_k12": 769_162,
    "densenet_bc250_k24": 15_324_406,
    "densenet_bc190_k40": 25_624_430,
}
"""Parameters that https://github.com/osmr/imgclsmob counts in its networks of the same plans for 10 classes."""

PRINTED = {
    "resnet20_zero_padded": 0.27,
    "resnet32_zero_padded": 0.46,
    "resnet44_zero_padded": 0.66,
    "resnet56_zero_padded": 0.85,
    "resnet110_zero_padded": 1.7,
    "resnet1202_zero_padded": 19.4,
    "wrn40_4": 8.9,
    "wrn16_8": 11.0,
    "wrn28_10": 36.5,
    "densenet_bc100_k12": 0.8,
    "densenet_bc250_k24": 15.3,
    "densenet_bc190_k40": 25.6,
}
"""Millions of parameters in the papers: arXiv:1512.03385, table 6; 1605.07146, table 5; 1608.06993, table 2."""

PRINTED_WITHOUT_NORMS = {
    "preactivation_resnet110": 1.7,
    "preactivation_resnet164": 1.7,
    "preactivation_resnet1001": 10.2,
    "resnext29_8x64d": 34.4,
    "resnext29_16x64d": 68.1,
}
"""In arXiv:1603.05027, table 4, and 1611.05431, table 7: ResNet-1001 and 16x64d are 10.3 and 68.2 with the norms."""

REGNETS = {
    "regnet_x_200mf": (0.2, 2.7, 2.2),
    "regnet_x_800mf": (0.8, 7.3, 5.1),
    "regnet_x_1_6gf": (1.6, 9.2, 7.9),
    "regnet_x_3_2gf": (3.2, 15.3, 11.4),
    "regnet_x_8gf": (8.0, 39.6, 14.1),
    "regnet_x_16gf": (15.9, 54.3, 25.5),
    "regnet_x_32gf": (31.7, 107.8, 36.3),
    "regnet_y_400mf": (0.4, 4.3, 3.9),
    "regnet_y_1_6gf": (1.6, 11.2, 8.0),
    "regnet_y_3_2gf": (3.2, 19.4, 11.3),
    "regnet_y_16gf": (15.9, 83.6, 23.0),
    "regnet_y_32gf": (32.3, 145.0, 30.3),
}
"""10^9 MACs, 10^6 parameters, 10^6 activations in pycls's MODEL_ZOO.md, of those that torchvision rounds alike."""


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_are_those_that_others_count(name: str) -> None:
    assert preset(name).cost((3, 32, 32)).params == COUNTED[name]


@pytest.mark.parametrize("name", PRINTED)
def test_parameters_are_the_millions_that_the_papers_print(name: str) -> None:
    decimals = len(str(PRINTED[name]).split(".")[1])
    assert round(preset(name).cost((3, 32, 32)).params / 1e6, decimals) == PRINTED[name]


@pytest.mark.parametrize("name", PRINTED_WITHOUT_NORMS)
def test_weights_are_the_millions_that_the_papers_print(name: str) -> None:
    rows = preset(name).cost_by_layer((3, 32, 32))
    weights = sum(row.cost.params for row in rows if row.kind != "norm")
    assert round(weights / 1e6, 1) == PRINTED_WITHOUT_NORMS[name]


@pytest.mark.parametrize("name", REGNETS)
def test_regnets_cost_what_their_authors_print(name: str) -> None:
    cost = preset(name).cost((3, 224, 224))
    assert (round(cost.macs / 1e9, 1), round(cost.params / 1e6, 1), round(cost.activations / 1e6, 1)) == REGNETS[name]


def test_regnet_x_200mf() -> None:
    assert preset("regnet_x_200mf").cost((3, 224, 224)) == Cost(199_039_872, 2_684_792, 2_164_056)


def test_wrn28_10_by_hand() -> None:
    """Table 1 of the paper with N = 4, k = 10: convolutions, norms, and a linear layer."""
    total, given = 3 * 9 * 16, 16
    for width in (160, 320, 640):
        for index in range(4):
            total += 2 * (given + width) + 9 * (given + width) * width + (given * width if index == 0 else 0)
            given = width
    assert total + 2 * 640 + 640 * 10 + 10 == preset("wrn28_10").cost((3, 32, 32)).params


def test_growth_adds_up() -> None:
    """DenseNet-121: 64 channels and 6, 12, 24, 16 times 32 more, halved at three transitions."""
    outputs = [row.output for row in preset("densenet121").cost_by_block((3, 224, 224)) if row.kind == "dense"]
    assert [outputs[index] for index in (5, 17, 41, 57)] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (1024, 7, 7)]


def test_networks_of_one_family_can_be_written_short() -> None:
    spec = NetworkSpec.model_validate({"stages": [{"block": "dense", "depth": 3, "width": 4}]})
    assert spec.out_channels == 16 + 3 * 4
