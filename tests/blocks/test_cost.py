from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Cost, measure
from tests.blocks.networks import small


class Functional(nn.Module):
    """A module without submodules, as users write them: hooks would see nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 3, 3, 3))
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        maps = functional.conv2d(x, self.weight, self.bias, padding=1)  # N 4 8 8
        tokens = maps.flatten(2)  # N 4 64
        return functional.max_pool2d(maps, 2) if tokens.shape[1] == 0 else tokens @ tokens.transpose(1, 2)


def test_functional_calls_and_matrix_products_are_counted() -> None:
    convolution, attention = 4 * 27 * 64, 4 * 4 * 64
    assert measure(Functional(), (3, 8, 8)) == Cost(convolution + attention, 4 * 27 + 4, 4 * 64)


def test_layers_that_ours_are_not_made_of() -> None:
    module = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=4),  # 6x6: 8 * 9 * 36 MACs
        nn.ConvTranspose2d(8, 2, 2, stride=2),  # 12x12: 36 positions * 8 * 2 * 4 MACs
        nn.AvgPool2d(2),  # 6x6
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 3, bias=False),
    )
    macs = 8 * 9 * 36 + 36 * 8 * 2 * 4 + 2 * 3
    activations = 8 * 36 + 2 * 144 + 2 * 36 + 3
    assert measure(module, (4, 8, 8)) == Cost(macs, (8 * 9 + 8) + (8 * 2 * 4 + 2) + 6, activations)


def test_measuring_changes_nothing() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    measure(module, (3, 8, 8))
    assert module.training
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_nothing_is_computed() -> None:
    with torch.device("meta"):
        enormous = nn.Conv2d(100_000, 100_000, 3, padding=1, bias=False)  # 360 GB of weights
    assert measure(enormous, (100_000, 1000, 1000)).macs == 9 * 10**16


def test_arithmetic_of_costs() -> None:
    cost = Cost(1, 2, 3)
    assert cost + cost == cost * 2 == Cost(2, 4, 6)
    assert cost - cost == Cost()
    assert str(Cost(1000, 2000, 3)) == "1,000 MACs, 2,000 parameters, 3 activations"


@pytest.mark.parametrize("shape", [224, (224, 224), (3, 224, 224, 1), (3, 224.0, 224), "3x8", None])
def test_a_shape_is_three_whole_numbers(shape: Any) -> None:
    spec = small("basic")
    for costed in (spec.cost, spec.cost_by_block, lambda shape: measure(spec.build(0), shape)):
        with pytest.raises(TypeError, match=r"\(channels, height, width\), three whole numbers, not"):
            costed(shape)
