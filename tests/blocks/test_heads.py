"""Heads and their pooling against the same written out in torch, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from blocks import InfeasibleSpec, NetworkSpec
from blocks.parts.head import HEADS
from blocks.parts.pool import POOLS
from tests.blocks.peers import X, built, weights


def pool(fields: dict[str, Any], channels: int = 8) -> nn.Module:
    return built(POOLS.parse(fields).layer(channels))


def test_average_and_largest() -> None:
    torch.testing.assert_close(pool({"kind": "average"})(X), X.mean((2, 3), keepdim=True))
    assert torch.equal(pool({"kind": "max"})(X).flatten(), X.flatten(2).max(2).values.flatten())


@pytest.mark.parametrize("heads", [1, 4])
def test_attention_pooling_is_torchs_attention(heads: int) -> None:
    module = pool({"kind": "attention", "heads": heads})
    own = weights(module)
    tokens = torch.cat((X.mean((2, 3))[None], X.flatten(2).permute(2, 0, 1)))  # positions N C
    expected, _ = functional.multi_head_attention_forward(
        tokens[:1], tokens, tokens, 8, heads, None,
        torch.cat([own[f"{name}.bias"] for name in ("query", "key", "value")]),
        None, None, False, 0.0, own["out.weight"], own["out.bias"], training=False, need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=own["query.weight"], k_proj_weight=own["key.weight"], v_proj_weight=own["value.weight"],
    )  # fmt: skip
    torch.testing.assert_close(module(X).flatten(1), expected[0])


@pytest.mark.parametrize(("channels", "heads"), [(8, 1), (64, 1), (96, 1), (128, 2), (2048, 32)])
def test_a_head_for_every_64_channels(channels: int, heads: int) -> None:
    assert POOLS.parse("attention").layer(channels) == POOLS.parse({"kind": "attention", "heads": heads}).layer(
        channels
    )


def test_heads_must_divide_the_channels() -> None:
    head = {"kind": "linear", "pool": {"kind": "attention", "heads": 3}}
    with pytest.raises(InfeasibleSpec, match="head: 3 heads don't divide 16 channels"):
        NetworkSpec.model_validate({"stages": [{"block": "basic", "width": 16}], "head": head}).build()


def head(fields: dict[str, Any]) -> nn.Module:
    return built(HEADS.parse({"num_classes": 5, **fields}).layers(8))


def test_a_linear_head_norms_before_and_behind_its_pooling() -> None:
    module = head({"kind": "linear", "norm": "layer", "activation": "relu", "pooled_norm": "layer", "dropout": 0.5})
    own = weights(module)
    assert list(dict(module.named_children())) == "norm activation pool pooled_norm flatten dropout linear".split()
    normed = functional.layer_norm(X.permute(0, 2, 3, 1), (8,), own["norm.weight"], own["norm.bias"], 1e-6)
    pooled = normed.relu().mean((1, 2))
    vector = functional.layer_norm(pooled, (8,), own["pooled_norm.weight"], own["pooled_norm.bias"], 1e-6)
    torch.testing.assert_close(module(X), functional.linear(vector, own["linear.weight"], own["linear.bias"]))


def test_the_plain_linear_head_is_pooling_and_a_linear_layer() -> None:
    assert set(weights(head({"kind": "linear"}))) == {"linear.weight", "linear.bias"}


def test_a_convolution_before_the_pooling() -> None:
    module = head({"kind": "convolution", "width": 12, "norm": "none", "activation": "silu"})
    own = weights(module)
    maps = functional.silu(functional.conv2d(X, own["conv.weight"], own["conv.bias"]))
    torch.testing.assert_close(
        module(X), functional.linear(maps.mean((2, 3)), own["linear.weight"], own["linear.bias"])
    )


def test_vggs_head() -> None:
    module = head({"kind": "vgg", "grid": 2, "hidden": [6, 7]})
    own = weights(module)
    vector = functional.adaptive_avg_pool2d(functional.max_pool2d(X, 2), 2).flatten(1)
    for name in ("hidden1", "hidden2"):
        vector = functional.linear(vector, own[f"{name}.weight"], own[f"{name}.bias"]).relu()
    torch.testing.assert_close(module(X), functional.linear(vector, own["linear.weight"], own["linear.bias"]))


def test_vggs_head_is_as_large_as_in_the_paper() -> None:
    module = HEADS.parse("vgg").layers(512).build()
    assert sum(parameter.numel() for parameter in module.parameters()) == 123_642_856  # of VGG-16's 138,357,544
    assert [m.p for m in module.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]
