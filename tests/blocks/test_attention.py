"""Attention against the same written out in torch, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from blocks.parts.attention import ATTENTIONS
from tests.blocks.peers import X, built, weights


def attention(fields: dict[str, Any], channels: int = 8, in_channels: int = 8) -> nn.Module:
    return built(ATTENTIONS.parse(fields).layer(channels, in_channels))


@pytest.mark.parametrize(("gate", "function"), [("sigmoid", torch.sigmoid), ("hardsigmoid", functional.hardsigmoid)])
def test_squeeze_and_excitation(gate: str, function: Any) -> None:
    module = attention({"kind": "se", "ratio": 0.5, "gate": gate, "activation": "silu"})
    own = weights(module)
    squeezed = functional.silu(
        functional.conv2d(X.mean((2, 3), keepdim=True), own["gate.squeeze.weight"], own["gate.squeeze.bias"])
    )
    excited = functional.conv2d(squeezed, own["gate.expand.weight"], own["gate.expand.bias"])
    torch.testing.assert_close(module(X), X * function(excited))


@pytest.mark.parametrize(
    ("fields", "squeezed"),
    [
        ({}, 6),
        ({"ratio": 0.25}, 24),
        ({"multiple_of": 8}, 8),
        ({"ratio": 1 / 4, "of": "input"}, 6),
        ({"ratio": 1 / 1000}, 1),
        ({"ratio": 1 / 1000, "multiple_of": 8}, 8),
    ],
)
def test_squeezed_channels(fields: dict[str, Any], squeezed: int) -> None:
    assert weights(attention({"kind": "se", **fields}, 96, 24))["gate.squeeze.weight"].shape == (squeezed, 96, 1, 1)


@pytest.mark.parametrize(("channels", "kernel"), [(2, 3), (64, 3), (128, 5), (256, 5), (512, 5), (1024, 5), (2048, 7)])
def test_efficient_channel_attention_looks_as_far_as_the_paper_says(channels: int, kernel: int) -> None:
    assert weights(attention({"kind": "eca"}, channels))["gate.conv.weight"].shape == (1, 1, kernel)


def test_efficient_channel_attention() -> None:
    module = attention({"kind": "eca", "kernel": 5})
    means = functional.pad(X.mean((2, 3)), (2, 2))
    windows = torch.stack([means[:, index : index + 5] for index in range(8)], 1)
    gate = (windows @ weights(module)["gate.conv.weight"].flatten()).sigmoid()
    torch.testing.assert_close(module(X), X * gate[:, :, None, None])


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_convolutional_block_attention(norm: str) -> None:
    module = attention({"kind": "cbam", "ratio": 0.5, "norm": norm})
    own = weights(module)

    def shared(x: torch.Tensor) -> torch.Tensor:
        squeezed = functional.relu(functional.conv2d(x, own["channels.gate.squeeze.weight"]))
        return functional.conv2d(squeezed, own["channels.gate.expand.weight"])

    means, largest = X.mean((2, 3), keepdim=True), X.amax((2, 3), keepdim=True)
    weighed = X * (shared(means) + shared(largest)).sigmoid()
    seen = torch.cat((weighed.mean(1, keepdim=True), weighed.amax(1, keepdim=True)), 1)
    gate = functional.conv2d(seen, own["positions.gate.conv.weight"], own.get("positions.gate.conv.bias"), padding=3)
    if norm == "batch":
        names = ("running_mean", "running_var", "weight", "bias")
        gate = functional.batch_norm(gate, *(own[f"positions.gate.norm.{name}"] for name in names))
    torch.testing.assert_close(module(X), weighed * gate.sigmoid())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "eca", "kernel": 4}, "4 is even"),
        ({"kind": "eca", "kernel": 3, "gamma": 1}, "give the kernel, or gamma and beta, not both"),
        ({"kind": "cbam", "kernel": 6}, "6 is even"),
        ({"kind": "se", "ratio": 0}, "greater than 0"),
        ({"kind": "se", "of": "output"}, "'weighed' or 'input'"),
    ],
)
def test_attention_says_what_is_wrong(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ATTENTIONS.parse(fields)
