"""Norms, activations and shortcuts against the same written out in torch, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from blocks import InfeasibleSpec, InputTooSmall, NetworkSpec, preset
from blocks.layers import IDENTITY, Layer
from blocks.parts.activation import ACTIVATIONS
from blocks.parts.norm import NORMS
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.shortcut import SHORTCUTS
from tests.blocks.networks import small
from tests.blocks.peers import X, built, weights

FUNCTIONS = {
    "none": lambda x: x,
    "relu": lambda x: x.clamp(min=0),
    "relu6": lambda x: x.clamp(0, 6),
    "leaky_relu": lambda x: torch.where(x > 0, x, 0.01 * x),
    "elu": lambda x: torch.where(x > 0, x, x.exp() - 1),
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "silu": lambda x: x * x.sigmoid(),
    "hardswish": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "mish": lambda x: x * (1 + x.exp()).log().tanh(),
}


@pytest.mark.parametrize("kind", list(ACTIVATIONS.kinds()))
def test_activations(kind: str) -> None:
    x = 5 * X
    torch.testing.assert_close(built(ACTIVATIONS.parse(kind).layer())(x), FUNCTIONS[kind](x))


def test_slopes_and_scales_are_the_users() -> None:
    leaky = built(ACTIVATIONS.parse({"kind": "leaky_relu", "slope": 0.2}).layer())
    torch.testing.assert_close(leaky(X), torch.where(X > 0, X, 0.2 * X))
    exponential = built(ACTIVATIONS.parse({"kind": "elu", "scale": 2}).layer())
    torch.testing.assert_close(exponential(X), torch.where(X > 0, X, 2 * (X.exp() - 1)))


def test_an_instance_norm_is_torchs() -> None:
    module = built(NORMS.parse("instance").layer(8))
    expected = functional.instance_norm(X, weight=module.weight, bias=module.bias)
    torch.testing.assert_close(module(X), expected)


def test_norms_that_would_leave_nothing_are_refused() -> None:
    with pytest.raises(InfeasibleSpec, match="a layer norm leaves nothing of a map of 1 channel"):
        small({"kind": "basic", "norm": "layer"}, width=1).cost((3, 8, 8))
    spec = small({"kind": "basic", "norm": "instance"})
    with pytest.raises(InputTooSmall, match=r"of each channel leaves nothing of a map of 1x1; .* needs 3 pixels"):
        spec.cost((3, 2, 2))
    assert spec.cost((3, 3, 3)).macs > 0


def shortcut(kind: str, in_channels: int, out_channels: int, stride: int, **options: Any) -> Layer | None:
    return SHORTCUTS.parse(kind).layer(in_channels, out_channels, stride, BatchNormSpec(), **options)


@pytest.mark.parametrize("kind", [kind for kind in SHORTCUTS.kinds() if kind != "none"])
def test_where_nothing_changes_a_shortcut_is_the_identity(kind: str) -> None:
    assert shortcut(kind, 8, 8, 1) is IDENTITY


def test_where_equal_adds_nothing_elsewhere() -> None:
    assert shortcut("where_equal", 8, 8, 2) is None
    assert shortcut("where_equal", 8, 16, 1) is None


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_zero_padded_shortcuts(stride: int) -> None:
    out = built(shortcut("zero_padded", 8, 12, stride))(X)
    assert torch.equal(out[:, :8], X[:, :, ::stride, ::stride])
    assert torch.equal(out[:, 8:], torch.zeros_like(out[:, :4]))


def test_zeros_take_no_channels_away() -> None:
    with pytest.raises(InfeasibleSpec, match="stage 0, block 0: zeros can't pad 16 channels to 8"):
        NetworkSpec.model_validate(
            {
                "stem": {"kind": "conv3x3", "width": 16},
                "stages": [{"block": {"kind": "basic", "shortcut": "zero_padded"}, "width": 8}],
            }
        ).cost((3, 8, 8))


@pytest.mark.parametrize(
    ("out_channels", "kinds"), [(8, ["BlurPool"]), (12, ["Sequential", "BlurPool", "ZeroPadding"])]
)
def test_anti_aliased_they_blur(out_channels: int, kinds: list[str]) -> None:
    module = built(shortcut("zero_padded", 8, out_channels, 2, anti_alias=True))
    assert [type(part).__name__ for part in module.modules()] == kinds
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    padded = functional.pad(X, (1, 1, 1, 1), mode="reflect")
    expected = functional.conv2d(padded, row.outer(row).expand(8, 1, 3, 3), stride=2, groups=8)
    torch.testing.assert_close(module(X)[:, :8], expected)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_average_projections_leave_no_position_out(stride: int) -> None:
    module = built(shortcut("average_projection", 8, 12, stride))
    own = weights(module)
    windows = [
        [X[:, :, row : row + stride, column : column + stride].mean((2, 3)) for column in range(0, 7, stride)]
        for row in range(0, 5, stride)
    ]
    means = torch.stack([torch.stack(row, -1) for row in windows], -2)
    expected = functional.batch_norm(
        functional.conv2d(means, own["conv.weight"]),
        *(own[f"norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")),
    )
    torch.testing.assert_close(module(X), expected)


@pytest.mark.parametrize("kind", ["projection", "average_projection"])
def test_a_projection_has_a_bias_where_no_norm_shifts_it_but_not_behind_a_preactivation(kind: str) -> None:
    bare, behind = (SHORTCUTS.parse(kind).layer(8, 12, 2, norm) for norm in (NORMS.parse("none"), None))
    assert set(weights(built(bare))) == {"conv.weight", "conv.bias"}
    assert set(weights(built(behind))) == {"conv.weight"}


PARAMS = {  # as timm counts them
    "resnet50d": 25_576_264,
    "seresnet50": 28_088_024,
    "ecaresnet26t": 16_011_916,
    "ecaresnet50d": 25_576_350,
    "resnet50_gn": 25_557_032,
    "resnetblur50d": 25_576_264,
}


@pytest.mark.parametrize("name", list(PARAMS))
def test_presets_have_as_many_parameters_as_published(name: str) -> None:
    assert preset(name).cost((3, 224, 224)).params == PARAMS[name]
