"""ConvNeXt's block and the transformer's, against torchvision's with the same weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.convnext import CNBlock
from torchvision.models.vision_transformer import EncoderBlock

from blocks import InfeasibleSpec, Site
from blocks.block import BLOCKS
from blocks.counting import saved_bytes
from blocks.modules import ResidualSum
from blocks.positions import SinePositions
from tests.blocks.networks import small

CONVNEXT = {
    "block.0": "branch.depthwise",
    "block.2": "branch.norm",
    "block.3": "branch.expand",
    "block.5": "branch.project",
}
VIT = {
    "ln_1": "attention.branch.norm",
    "self_attention.in_proj_": "attention.branch.qkv.",
    "self_attention.out_proj": "attention.branch.project",
    "ln_2": "mlp.branch.norm",
    "mlp.0": "mlp.branch.expand",
    "mlp.3": "mlp.branch.project",
}


def module_of(block: dict[str, Any], site: Site) -> nn.Module:
    torch.manual_seed(0)
    return BLOCKS.parse(block).layers(site).build()


def take(ours: nn.Module, theirs: nn.Module, names: dict[str, str]) -> None:
    tensors = {}
    for name, tensor in theirs.state_dict().items():
        for start, our in names.items():
            if name.startswith(start):
                name = our + name.removeprefix(start)
        tensors[name] = tensor.reshape(ours.state_dict()[name].shape)
    ours.load_state_dict(tensors)


def test_convnexts_block() -> None:
    theirs = CNBlock(8, 0.3, 0.0)
    ours = module_of({"kind": "convnext"}, Site(8, 8, 1))
    take(ours, theirs, {**CONVNEXT, "layer_scale": "branch.scale.scale"})
    x = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_vits_encoder_block(memory_format: torch.memory_format) -> None:
    theirs = EncoderBlock(num_heads=3, hidden_dim=12, mlp_dim=48, dropout=0.0, attention_dropout=0.0)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = module_of({"kind": "transformer", "heads": 3}, Site(12, 12, 1))
    take(ours, theirs, VIT)
    x = torch.randn(2, 12, 4, 5).to(memory_format=memory_format)
    expected = theirs(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(ours(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["convnext", "transformer"])
@pytest.mark.parametrize(("site", "side"), [(Site(8, 12, 2), 3), (Site(8, 12, 1), 7), (Site(8, 8, 2), 3)])
def test_a_norm_and_a_strided_convolution_stand_in_front(kind: str, site: Site, side: int) -> None:
    block = module_of({"kind": kind, "zero_init_residual": True, "layer_scale": 1}, site)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    for name, module in block.named_modules():
        if name.endswith("project"):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    x = torch.randn(2, 8, 7, 7)
    first = next(module for module in block.modules() if isinstance(module, ResidualSum))
    assert isinstance(first.before, nn.Sequential)
    norm, conv = first.before
    normed = nn.functional.layer_norm(x.permute(0, 2, 3, 1), (8,), norm.weight, norm.bias, 1e-6).permute(0, 3, 1, 2)
    expected = nn.functional.conv2d(normed, conv.weight, conv.bias, site.stride)
    assert expected.shape[-1] == side
    assert conv.kernel_size == (site.stride, site.stride)
    torch.testing.assert_close(block(x), expected)


def test_conditional_positions_are_a_depthwise_convolution_of_the_input() -> None:
    block = module_of({"kind": "transformer", "position": "conditional"}, Site(8, 8, 1))
    x = torch.randn(2, 8, 5, 5)
    before = block.attention.before
    torch.testing.assert_close(before(x), x + before.position.conv(x))
    assert before.position.conv.groups == 8


def test_sine_positions_are_the_papers() -> None:
    table = SinePositions()(torch.zeros(1, 8, 5, 7))[0]
    for row in range(5):
        for column in range(7):
            for index in range(2):
                rate = 10_000 ** (-index / 2)
                waves = [math.sin(row * rate), math.cos(row * rate), math.sin(column * rate), math.cos(column * rate)]
                assert table[index::2, row, column].tolist() == pytest.approx(waves, abs=1e-6)


@pytest.mark.parametrize("position", ["conditional", "sine"])
def test_only_positions_tell_where_something_is(position: str) -> None:
    x = torch.randn(1, 8, 4, 4)
    turned = x.flip(2, 3)
    blind, sighted = (module_of({"kind": "transformer", "position": p}, Site(8, 8, 1)) for p in ("none", position))
    torch.testing.assert_close(blind(turned), blind(x).flip(2, 3), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(sighted(turned), sighted(x).flip(2, 3), rtol=1e-2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"heads": 3}, "3 heads don't divide 8 channels"),
        ({"head_width": 5}, "heads of 5 channels don't divide 8 channels"),
    ],
)
def test_heads_divide_the_width(fields: dict[str, int], said: str) -> None:
    with pytest.raises(InfeasibleSpec, match=f"^stage 0, block 0: {said}"):
        small({"kind": "transformer", **fields}).build(0)


def test_sines_need_four_channels_each() -> None:
    with pytest.raises(InfeasibleSpec, match="need a multiple of 4 channels, not 6"):
        small({"kind": "transformer", "heads": 2, "position": "sine"}, width=6).build(0)


def test_heads_are_given_one_way() -> None:
    with pytest.raises(ValueError, match="give heads or head_width, not both"):
        BLOCKS.parse({"kind": "transformer", "heads": 2, "head_width": 4})
    two, four = ({"kind": "transformer", **fields} for fields in ({"heads": 2}, {"head_width": 4}))
    assert small(two).structure == small(four).structure


def test_drop_path_reaches_both_sums() -> None:
    spec = small("transformer").replace(drop_path=0.4)
    rates = [module.drop_path for module in spec.build(0).modules() if isinstance(module, ResidualSum)]
    assert rates == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4])


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "convnext", "layer_scale": None, "dropout": 0.1},
        {"kind": "convnext", "attention": {"kind": "se", "place": "inner"}, "norm": "batch"},
        {"kind": "transformer", "heads": 1},
        {"kind": "transformer", "heads": 8, "position": "conditional", "dropout": 0.1, "layer_scale": 0.1},
        {"kind": "transformer", "position": "sine", "norm": "group", "activation": "relu"},
    ],
)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_training_memory_is_what_torch_keeps(block: dict[str, Any], memory_format: torch.memory_format) -> None:
    """Attention too: its products are fused, and no matrix of positions by positions is kept."""
    spec = small(block)
    for batch, shape in ((2, (3, 8, 8)), (3, (3, 9, 7))):
        images = torch.randn(batch, *shape).to(memory_format=memory_format)
        saved = saved_bytes(spec.build(0).to(memory_format=memory_format), images)
        assert saved == spec.training_memory(shape, batch).activations


def test_an_odd_stride_keeps_its_borders() -> None:
    block = module_of({"kind": "convnext"}, Site(4, 4, 3))
    out: Tensor = block(torch.randn(1, 4, 7, 7))
    assert out.shape == (1, 4, 3, 3)
