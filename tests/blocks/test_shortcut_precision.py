"""Under autocast, sums of float32 are asked for or not; they are never half of each."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from blocks import Network
from blocks.block import BLOCKS
from blocks.modules import ResidualSum
from tests.blocks.networks import small

PRECISE = [kind for kind, spec in BLOCKS.kinds().items() if "shortcut_precision" in spec.model_fields]
SMALL_STEP = 2**-12
"""Lost beside 1 in bfloat16, whose numbers just above 1 are 2**-7 apart; kept in float32."""


def stream(network: Network, x: Tensor) -> list[Tensor]:
    """Returns what each residual sum puts out under autocast."""
    outputs: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, ResidualSum) and module.shortcut is not None:
            module.register_forward_hook(lambda _, __, out: outputs.append(out))
    with torch.autocast("cpu", torch.bfloat16):
        network(x)
    return outputs


def spec_of(kind: str, precision: str) -> Any:
    shortcut = {"shortcut": "projection"} if "shortcut" in BLOCKS.kinds()[kind].model_fields else {}
    return small({"kind": kind, "shortcut_precision": precision, **shortcut})


@pytest.mark.parametrize("kind", PRECISE)
def test_the_stream_stays_float32_where_it_is_asked_for(kind: str) -> None:
    precise = stream(spec_of(kind, "float32").build(0), torch.randn(4, 3, 8, 8))
    assert precise
    assert {tensor.dtype for tensor in precise} == {torch.float32}


@pytest.mark.parametrize("kind", ["basic", "bottleneck"])
def test_otherwise_it_is_that_of_autocast(kind: str) -> None:
    usual = stream(spec_of(kind, "same").build(0), torch.randn(4, 3, 8, 8))
    assert {tensor.dtype for tensor in usual} == {torch.bfloat16}


class Step(nn.Module):
    """Always the same small number, in the precision of autocast."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.full(x.shape, SMALL_STEP, dtype=torch.bfloat16)


@pytest.mark.parametrize(("precise", "expected"), [(True, 1 + 8 * SMALL_STEP), (False, 1.0)])
def test_small_steps_add_up_or_are_rounded_away(precise: bool, expected: float) -> None:
    blocks = nn.Sequential(*(ResidualSum(Step(), nn.Identity(), nn.Identity(), precise=precise) for _ in range(8)))
    out = blocks(torch.ones(1, 1, 2, 2, dtype=torch.bfloat16))
    assert out.float().unique().tolist() == [expected]


def test_without_autocast_nothing_changes() -> None:
    x = torch.randn(4, 3, 8, 8)
    usual, precise = (spec_of("basic", precision).build(0)(x) for precision in ("same", "float32"))
    assert torch.equal(usual, precise)
