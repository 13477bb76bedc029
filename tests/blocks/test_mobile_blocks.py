"""Inverted bottlenecks and depthwise-separable convolutions, against the same blocks written out in torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from blocks import InfeasibleSpec, NetworkSpec, Site, preset
from blocks.block import BLOCKS
from blocks.counting import saved_bytes
from blocks.presets import preset_input
from tests.blocks.networks import small

ATTENTION = {"kind": "se", "ratio": 0.25, "of": "input", "activation": "silu"}


def module_of(block: dict[str, Any], site: Site) -> nn.Module:
    torch.manual_seed(0)
    return BLOCKS.parse(block).layers(site).build()


def convolution(i: int, o: int, kernel: int, stride: int, groups: int, activation: nn.Module | None) -> list[nn.Module]:
    conv = nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(o), *([] if activation is None else [activation])]


class Gate(nn.Module):
    """Squeeze and excitation of ``channels`` through ``squeezed``."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze, self.expand = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.expand(nn.functional.silu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * gate.sigmoid()


def same(ours: nn.Module, theirs: nn.Module, x: torch.Tensor, shortcut: bool) -> None:
    """Copies weights in order, and compares in training and evaluation."""
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    for mode in (True, False):
        expected = theirs.train(mode)(x) + (x if shortcut else 0)
        torch.testing.assert_close(ours.train(mode)(x), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("site", "shortcut"), [(Site(8, 8, 1), True), (Site(8, 12, 1), False), (Site(8, 8, 2), False)])
def test_mobilenets_second_block(site: Site, shortcut: bool) -> None:
    ours = module_of({"kind": "inverted_bottleneck"}, site)
    theirs = nn.Sequential(
        *convolution(8, 48, 1, 1, 1, nn.ReLU6()),
        *convolution(48, 48, 3, site.stride, 48, nn.ReLU6()),
        *convolution(48, site.width, 1, 1, 1, None),
    )
    same(ours, theirs, 9 * torch.randn(4, 8, 6, 6), shortcut)


def test_efficientnets_block() -> None:
    block = {"kind": "inverted_bottleneck", "attention": ATTENTION, "activation": "silu", "kernel": 5}
    theirs = nn.Sequential(
        *convolution(8, 48, 1, 1, 1, nn.SiLU()),
        *convolution(48, 48, 5, 1, 48, nn.SiLU()),
        Gate(48, 2),
        *convolution(48, 8, 1, 1, 1, None),
    )
    same(module_of(block, Site(8, 8, 1)), theirs, torch.randn(4, 8, 6, 6), True)


@pytest.mark.parametrize(("shortcut", "stride"), [("none", 2), ("where_equal", 1), ("where_equal", 2)])
def test_mobilenets_first_block(shortcut: str, stride: int) -> None:
    ours = module_of({"kind": "depthwise_separable", "shortcut": shortcut}, Site(8, 8, stride))
    theirs = nn.Sequential(*convolution(8, 8, 3, stride, 8, nn.ReLU()), *convolution(8, 8, 1, 1, 1, None))
    x = torch.randn(4, 8, 6, 6)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    expected = theirs(x) + (x if shortcut == "where_equal" and stride == 1 else 0)
    torch.testing.assert_close(ours(x), expected.relu())


def test_nothing_is_expanded_by_one() -> None:
    names = dict(module_of({"kind": "inverted_bottleneck", "expansion": 1}, Site(8, 8, 1)).named_modules())
    assert "branch.conv1" not in names
    assert "branch.conv2" in names


def test_inner_channels_are_those_of_the_depthwise_convolution() -> None:
    assert BLOCKS.parse({"kind": "inverted_bottleneck", "expansion": 4}).inner_channels(Site(24, 40, 2)) == 96
    assert BLOCKS.parse("depthwise_separable").inner_channels(Site(24, 40, 2)) == 24


@pytest.mark.parametrize("kind", ["inverted_bottleneck", "depthwise_separable"])
def test_only_branches_beside_a_shortcut_start_at_zero(kind: str) -> None:
    network = small({"kind": kind, "shortcut": "where_equal", "zero_init_residual": True}).build(0)
    zeros = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d) and not module.weight.any()
    ]
    last = "norm3" if kind == "inverted_bottleneck" else "norm2"
    assert zeros == [f"stages.{place}.branch.{last}" for place in ("0.0", "0.1", "1.1")]


def test_attention_on_a_shortcut_that_is_not_there_is_refused() -> None:
    with pytest.raises(InfeasibleSpec, match="attention on the shortcut needs a shortcut"):
        small({"kind": "inverted_bottleneck", "attention": {"kind": "se", "place": "identity"}}).build(0)


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "inverted_bottleneck", "attention": ATTENTION, "dropout": 0.1},
        {"kind": "inverted_bottleneck", "anti_alias": True, "norm": "group", "activation": "silu"},
        {"kind": "depthwise_separable", "attention": "se", "shortcut": "projection"},
    ],
)
def test_training_memory_is_what_torch_keeps(block: dict[str, Any]) -> None:
    spec = small(block)
    for batch, shape in ((2, (3, 8, 8)), (3, (3, 9, 7))):
        saved = saved_bytes(spec.build(0), torch.randn(batch, *shape))
        assert saved == spec.training_memory(shape, batch).activations


def test_mobilenet_v1_is_the_published_one() -> None:
    """569 million multiply-adds and 4.2 million parameters (Howard et al. 2017, table 4)."""
    cost = preset("mobilenet_v1").cost(preset_input("mobilenet_v1"))
    assert round(cost.macs / 1e6) == 569
    assert round(cost.params / 1e6, 1) == 4.2


def test_efficientnets_norms_and_dropout_are_torchvisions() -> None:
    norms = [m for m in preset("efficientnet_b5").build(0).modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}
    assert [preset(f"efficientnet_b{n}").plain()["head"]["dropout"] for n in range(8)] == [
        *(0.2, 0.2, 0.3, 0.3),
        *(0.4, 0.4, 0.5, 0.5),
    ]
    assert preset("efficientnet_b0").drop_path == 0.2


def test_mobilenet_v1_is_timms_with_relu6_there() -> None:
    timm = pytest.importorskip("timm")
    plain = preset("mobilenet_v1").plain()
    for part in (plain["stem"], *(stage["block"] for stage in plain["stages"])):
        part["activation"] = "relu6"
    ours, theirs = NetworkSpec.model_validate(plain).build(0), timm.create_model("mobilenetv1_100")
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images), rtol=1e-4, atol=1e-6)
