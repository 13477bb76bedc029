"""The convolutional families: what they compute, cost and refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, relu, silu

from blocks import Cost, InfeasibleSpec, measure
from blocks.block import BLOCKS, Site
from blocks.cost import Tally
from blocks.counting import saved_bytes
from blocks.initialisation import initialise
from tests.blocks.networks import small

FAMILIES = (
    "plain",
    "preactivation_basic",
    "preactivation_bottleneck",
    "resnext",
    "wide",
    "regnet_x",
    "regnet_y",
    "regnet_z",
    "dense",
)
PREACTIVATION = ("preactivation_basic", "preactivation_bottleneck", "wide")


# What they compute, against the formula written out.


def built(block: dict[str, Any], site: Site) -> nn.Module:
    """Returns one block with statistics and scales that matter, in evaluation mode."""
    module = BLOCKS.parse(block).layers(site).build()
    initialise(module, 0)
    torch.manual_seed(0)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.weight, norm.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (norm.bias, norm.running_mean):
                nn.init.normal_(tensor, std=0.1)
    return module.eval()


def conv(module: nn.Module, name: str, x: Tensor, stride: int = 1) -> Tensor:
    """Convolves with the weights of this name, padded so that stride 1 keeps the size."""
    layer = module.get_submodule(name)
    weight = layer.weight
    groups = x.shape[1] // weight.shape[1]
    return conv2d(x, weight, layer.bias, stride, weight.shape[-1] // 2, groups=groups)


def norm(module: nn.Module, name: str, x: Tensor) -> Tensor:
    return module.get_submodule(name)(x)


def expect(block: dict[str, Any], site: Site, formula: Any) -> None:
    module = built(block, site)
    x = torch.randn(2, site.in_channels, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(module(x), formula(module, x))


@pytest.mark.parametrize("downsampling", ["stride", "max_pool"])
def test_plain_is_convolution_norm_activation(downsampling: str) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        pooled = max_pool2d(x, 2) if downsampling == "max_pool" else x
        return relu(norm(m, "norm", conv(m, "conv", pooled, 1 if downsampling == "max_pool" else 2)))

    expect({"kind": "plain", "kernel": 5, "downsampling": downsampling}, Site(4, 6, 2), formula)


@pytest.mark.parametrize(("block", "width"), [("preactivation_basic", 6), ({"kind": "wide", "widen": 3}, 2)])
def test_preactivation_basic_projects_behind_the_first_norm_and_activation(block: Any, width: int) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        ready = relu(norm(m, "before.norm1", x))
        inner = relu(norm(m, "branch.norm2", conv(m, "branch.conv1", ready, 2)))
        return conv(m, "branch.conv2", inner) + conv2d(ready, m.shortcut.conv.weight, stride=2)

    expect({"kind": block} if isinstance(block, str) else block, Site(4, width, 2), formula)


@pytest.mark.parametrize(("block", "width"), [("preactivation_basic", 6), ({"kind": "wide", "widen": 3}, 2)])
def test_preactivation_basic_adds_x_itself_where_shapes_are_equal(block: Any, width: int) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        inner = relu(norm(m, "branch.norm2", conv(m, "branch.conv1", relu(norm(m, "before.norm1", x)))))
        return x + conv(m, "branch.conv2", inner)

    expect({"kind": block} if isinstance(block, str) else block, Site(6, width, 1), formula)


@pytest.mark.parametrize("stride_on", ["first", "spatial"])
def test_preactivation_bottleneck(stride_on: str) -> None:
    first, spatial = (2, 1) if stride_on == "first" else (1, 2)

    def formula(m: nn.Module, x: Tensor) -> Tensor:
        ready = relu(norm(m, "before.norm1", x))
        inner = relu(norm(m, "branch.norm2", conv(m, "branch.conv1", ready, first)))
        inner = relu(norm(m, "branch.norm3", conv(m, "branch.conv2", inner, spatial)))
        return conv(m, "branch.conv3", inner) + conv2d(ready, m.shortcut.conv.weight, stride=2)

    block = {"kind": "preactivation_bottleneck", "expansion": 3, "groups": 2, "stride_on": stride_on}
    expect(block, Site(6, 4, 2), formula)


def bottleneck(m: nn.Module, x: Tensor, activation: Any, stride: int, *, gated: bool) -> Tensor:
    """The branch of ResNeXt's and RegNet's blocks."""
    inner = activation(norm(m, "branch.norm1", conv(m, "branch.conv1", x)))
    inner = activation(norm(m, "branch.norm2", conv(m, "branch.conv2", inner, stride)))
    if gated:
        squeezed = activation(conv(m, "branch.inner_attention.gate.squeeze", inner.mean((2, 3), keepdim=True)))
        inner = inner * torch.sigmoid(conv(m, "branch.inner_attention.gate.expand", squeezed))
    return norm(m, "branch.norm3", conv(m, "branch.conv3", inner))


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "resnext", "groups": 4, "width_per_group": 16, "expansion": 2},
        {"kind": "regnet_x", "group_width": 4, "bottleneck_ratio": 0.5},
        {"kind": "regnet_y", "group_width": 4},
    ],
)
def test_resnext_and_regnet_x_and_y(block: dict[str, Any]) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        beside = norm(m, "shortcut.norm", conv(m, "shortcut.conv", x, 2))
        return relu(bottleneck(m, x, relu, 2, gated=block["kind"] == "regnet_y") + beside)

    expect(block, Site(4, 8, 2), formula)


@pytest.mark.parametrize(("in_channels", "stride"), [(8, 1), (8, 2), (4, 1)])
def test_regnet_z_is_linear_and_adds_x_only_where_shapes_are_equal(in_channels: int, stride: int) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        out = bottleneck(m, x, silu, stride, gated=True)
        return out + x if (in_channels, stride) == (8, 1) else out

    expect({"kind": "regnet_z", "group_width": 4}, Site(in_channels, 8, stride), formula)


def test_regnet_y_squeezes_to_a_quarter_of_the_blocks_input() -> None:
    squeeze = built({"kind": "regnet_y"}, Site(8, 16, 2)).branch.inner_attention.gate.squeeze
    assert tuple(squeeze.weight.shape) == (2, 16, 1, 1)


@pytest.mark.parametrize("stride", [1, 2])
def test_dense_appends_what_it_computes_and_a_stride_is_a_transition(stride: int) -> None:
    def formula(m: nn.Module, x: Tensor) -> Tensor:
        if stride == 2:
            x = avg_pool2d(conv(m, "transition.conv", relu(norm(m, "transition.norm", x))), 2)
        inner = conv(m, "dense.branch.conv1", relu(norm(m, "dense.branch.norm1", x)))
        return torch.cat([x, conv(m, "dense.branch.conv2", relu(norm(m, "dense.branch.norm2", inner)))], 1)

    expect({"kind": "dense", "expansion": 3, "compression": 0.25}, Site(8, 5, stride), formula)


@pytest.mark.parametrize("family", ["preactivation_basic", "wide", "preactivation_bottleneck"])
def test_dropout_stands_before_the_last_convolution(family: str) -> None:
    branch = list(dict(small({"kind": family, "dropout": 0.3}).build(0).stages[0][0].branch.named_children()))
    assert branch[-3:] == ["activation3" if family.endswith("neck") else "activation2", "dropout", branch[-1]]
    assert branch[-1].startswith("conv")


# What they cost, by hand.


@pytest.mark.parametrize(
    ("block", "site", "expected"),
    [
        # 3x3 from 4 to 8 at 4x4 positions; norm
        ({"kind": "plain"}, Site(4, 8, 2), Cost(288 * 16, 288 + 16, 8 * 16)),
        # pooling counts as activations; a bias a channel
        (
            {"kind": "plain", "norm": "none", "downsampling": "max_pool"},
            Site(4, 8, 2),
            Cost(288 * 16, 288 + 8, 4 * 16 + 8 * 16),
        ),
        # norms of 4 and 8; 3x3 from 4 to 8, 3x3 among 8, 1x1 from 4 to 8, all at 4x4
        (
            {"kind": "preactivation_basic"},
            Site(4, 8, 2),
            Cost((288 + 576 + 32) * 16, 288 + 576 + 32 + 8 + 16, 3 * 8 * 16),
        ),
        ({"kind": "wide", "widen": 2}, Site(8, 4, 1), Cost(2 * 576 * 64, 2 * 576 + 2 * 16, 2 * 8 * 64)),
        # 1x1 from 16 to 4 at 8x8, 3x3 among 4, 1x1 from 4 to 16; norms of 16, 4, 4
        (
            {"kind": "preactivation_bottleneck"},
            Site(16, 4, 1),
            Cost((64 + 144 + 64) * 64, 64 + 144 + 64 + 48, (4 + 4 + 16) * 64),
        ),
        # 2 groups of 8 * 32 / 64 = 4 channels: 1x1 from 16 to 8, 3x3 of 8 by groups of 4, 1x1 to 16; norms
        (
            {"kind": "resnext", "groups": 2, "width_per_group": 32, "expansion": 2},
            Site(16, 8, 1),
            Cost((128 + 288 + 128) * 64, 128 + 288 + 128 + 64, (8 + 8 + 16) * 64),
        ),
        # 1x1 among 8, 3x3 by groups of 4, 1x1, norms; gate of 2: weights 2 * 16, biases 2 + 8
        (
            {"kind": "regnet_y", "group_width": 4},
            Site(8, 8, 1),
            Cost((64 + 288 + 64) * 64 + 32, 64 + 288 + 64 + 48 + 42, 3 * 8 * 64 + 10),
        ),
        # transition: 1x1 from 8 to 4 at 8x8, pooled to 4x4; 1x1 from 4 to 12, 3x3 from 12 to 3; norms of 8, 4, 12
        (
            {"kind": "dense"},
            Site(8, 3, 2),
            Cost(32 * 64 + (48 + 324) * 16, 32 + 48 + 324 + 48, 4 * 64 + (4 + 12 + 3) * 16),
        ),
    ],
)
def test_cost_by_hand(block: dict[str, Any], site: Site, expected: Cost) -> None:
    tally = Tally()
    BLOCKS.parse(block).layers(site).trace((site.in_channels, 8, 8), tally)
    assert tally.cost() == expected


PLACES = ("pre", "inner", "output", "post", "identity")
FIELDS: list[dict[str, Any]] = [
    {"dropout": 0.3},
    {"anti_alias": True},
    {"kernel": 5, "norm": "none"},
    {"norm": "layer", "activation": "silu"},
    {"stride_on": "first"},
    {"downsampling": "max_pool"},
    {"zero_init_residual": True},
    {"shortcut": "average_projection"},
    *({"attention": {"kind": "se", "place": place}} for place in PLACES),
]


def has(family: str, fields: dict[str, Any]) -> bool:
    """Whether a family has these fields, and the place of the attention."""
    if not fields.keys() <= BLOCKS.kinds()[family].model_fields.keys():
        return False
    place = fields.get("attention", {}).get("place")
    lacking = {"plain": ("inner", "post", "identity"), "dense": ("inner", "identity"), "regnet_z": ("identity",)}
    return place not in lacking.get(family, ())


@pytest.mark.parametrize(
    ("family", "fields"), [(family, fields) for family in FAMILIES for fields in FIELDS if has(family, fields)]
)
def test_cost_and_training_memory_are_what_torch_counts_and_keeps(family: str, fields: dict[str, Any]) -> None:
    spec = small({"kind": family, **fields})
    network = spec.build(0)
    assert measure(network, (3, 8, 8)) == spec.cost((3, 8, 8))
    assert saved_bytes(network, torch.randn(2, 3, 8, 8)) == spec.training_memory((3, 8, 8), 2).activations


@pytest.mark.parametrize("family", FAMILIES)
def test_inner_channels_are_those_of_the_spatial_convolution(family: str) -> None:
    spec = small(family)
    spatial = [
        m for m in spec.build(0).stages[-1][-1].modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)
    ]
    assert spec.inner_channels == (spatial[0].in_channels if family == "dense" else spatial[0].out_channels)


# What they are at the start, and what they refuse.


@pytest.mark.parametrize("family", PREACTIVATION)
@pytest.mark.parametrize("fields", [{}, {"norm": "none"}, {"norm": "group"}, {"attention": "se"}, {"dropout": 0.5}])
def test_preactivation_blocks_start_as_x_itself(family: str, fields: dict[str, Any]) -> None:
    zeroed, usual = (small({"kind": family, "zero_init_residual": zero, **fields}) for zero in (True, False))
    x = torch.randn(2, small(family, strides=(1,)).out_channels, 8, 8)
    assert torch.equal(zeroed.build(0).stages[0][1](x), x)
    assert not torch.equal(usual.build(0).stages[0][1](x), x)


@pytest.mark.parametrize("family", PREACTIVATION)
def test_projections_behind_a_preactivation_have_neither_norm_nor_bias(family: str) -> None:
    for part in ("batch", "none"):
        shortcut = small({"kind": family, "norm": part}).build(0).stages[1][0].shortcut
        assert [name for name, _ in shortcut.named_parameters()] == ["conv.weight"]


@pytest.mark.parametrize(
    ("block", "width", "place", "reason"),
    [
        ({"kind": "regnet_x", "group_width": 5}, 8, (0, 0), "groups of 5 channels don't divide the 8 inner channels"),
        (
            {"kind": "regnet_z", "group_width": 64},
            8,
            (0, 0),
            "groups of 64 channels don't divide the 32 inner channels",
        ),
        ({"kind": "preactivation_bottleneck", "groups": 3}, 8, (0, 0), "3 groups don't divide a convolution of 8 to 8"),
        (
            {"kind": "plain", "downsampling": "max_pool", "anti_alias": True},
            8,
            (1, 0),
            "anti_alias blurs strided convolutions, and max-pooling stands in their place",
        ),
        *(
            (
                {"kind": family, "attention": {"kind": "se", "place": place}},
                8,
                (0, 0),
                f"a {family} block has no place '{place}' for attention",
            )
            for family, place in (("plain", "post"), ("plain", "identity"), ("plain", "inner"), ("dense", "identity"))
        ),
        ({"kind": "wide", "widen": 1, "shortcut": "identity"}, 8, (1, 0), "a residual sum needs equal shapes"),
        ({"kind": "dense", "norm": "group"}, 6, (0, 0), "groups of 4 channels don't divide the 6 channels"),
    ],
)
def test_what_can_not_be_is_refused(block: dict[str, Any], width: int, place: tuple[int, int], reason: str) -> None:
    spec = small(block, width=width)
    for attempt in (lambda: spec.cost((3, 32, 32)), lambda: spec.build(0)):
        with pytest.raises(InfeasibleSpec, match=reason) as caught:
            attempt()
        assert (caught.value.stage, caught.value.block) == place


def test_families_are_different_networks_by_default() -> None:
    specs = [small(family) for family in (*FAMILIES, "basic", "bottleneck")]
    assert len({spec.structure for spec in specs}) == len(specs)
