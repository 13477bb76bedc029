"""Stems against the same written out in torch, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from blocks.parts.stem import STEMS
from tests.blocks.peers import built, weights


def stem(fields: dict[str, Any]) -> nn.Module:
    return built(STEMS.parse(fields).layers(8))


def test_patches_dont_overlap() -> None:
    x = torch.randn(2, 8, 9, 8)
    module = stem({"kind": "patchify", "patch": 4, "width": 12, "bias": True})
    own = weights(module)
    patches = x[:, :, :8].unfold(2, 4, 4).unfold(3, 4, 4)  # N C rows columns 4 4
    maps = torch.einsum("ncrsij,dcij->nrsd", patches, own["conv.weight"]) + own["conv.bias"]
    expected = functional.layer_norm(maps, (12,), own["norm.weight"], own["norm.bias"], 1e-6)
    torch.testing.assert_close(module(x), expected.permute(0, 3, 1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("fields", "widths"), [({}, [32, 32, 64]), ({"inner": [24, 32]}, [24, 32, 64])])
def test_deep_stems(fields: dict[str, Any], widths: list[int]) -> None:
    module = stem({"kind": "deep", **fields})
    convolutions = [m for m in module.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.stride[0]) for m in convolutions] == list(zip(widths, (2, 1, 1), strict=True))
    assert module(torch.randn(2, 8, 32, 32)).shape == (2, 64, 8, 8)


def test_a_bare_stem_leaves_norm_and_activation_to_the_first_block() -> None:
    assert list(dict(stem({"kind": "deep", "last": "bare"}).named_children()))[-2:] == ["conv3", "pool"]
    bare = stem({"kind": "conv7x7", "norm": "none", "activation": "none", "bias": False})
    assert list(dict(bare.named_parameters())) == ["conv.weight"]


def test_a_stem_has_a_bias_where_no_norm_shifts_its_result() -> None:
    assert "conv.bias" in weights(stem({"kind": "conv3x3", "norm": "none"}))
    assert "conv.bias" not in weights(stem({"kind": "conv3x3"}))
    assert "conv.bias" in weights(stem({"kind": "conv3x3", "bias": True}))


def test_an_anti_aliased_stem_blurs_behind_its_pooling() -> None:
    module = stem({"kind": "conv7x7", "anti_alias": True})
    plain = stem({"kind": "conv7x7", "pool": False})
    plain.load_state_dict(module.state_dict())
    x = torch.randn(2, 8, 32, 32)
    expected = functional.max_pool2d(plain(x), 3, stride=1, padding=1)
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = row.outer(row).expand(64, 1, 3, 3)
    blurred = functional.conv2d(functional.pad(expected, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=64)
    torch.testing.assert_close(module(x), blurred)


@pytest.mark.parametrize("patch", [3, 7])
def test_patches_are_of_even_size(patch: int) -> None:
    with pytest.raises(ValueError, match=f"a patch is of even size .*; {patch} is odd"):
        STEMS.parse({"kind": "patchify", "patch": patch})


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"kind": "none"}, 32),
        ({"kind": "conv3x3"}, 32),
        ({"kind": "conv3x3", "stride": 2}, 224),
        ({"kind": "conv7x7", "pool": False}, 224),
        ({"kind": "deep"}, 224),
        ({"kind": "patchify"}, 224),
        ({"kind": "patchify", "patch": 1}, 32),
    ],
)
def test_stems_that_reduce_are_for_large_images(fields: dict[str, Any], size: int) -> None:
    assert STEMS.parse(fields).usual_size == size


@pytest.mark.parametrize("fields", [{"kind": kind} for kind in STEMS.kinds()])
def test_stems_reduce_as_they_say(fields: dict[str, Any]) -> None:
    spec = STEMS.parse(fields)
    assert stem(fields)(torch.randn(2, 8, 32, 32)).shape[2:] == (32 // spec.reduction,) * 2
