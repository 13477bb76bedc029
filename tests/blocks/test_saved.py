"""What a training step keeps for its backward pass: the arithmetic's bytes are those that autograd holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from blocks import NetworkSpec
from blocks.counting import saved_bytes
from tests.blocks.networks import LARGER, PARTS
from tests.blocks.test_end_laws import VARIANTS, network

PLACES = ("output", "inner", "pre", "post", "identity")


def demand_exact(spec: NetworkSpec, side: int = 17, batch: int = 3) -> None:
    """Images of an odd side leave windows that hang over the border."""
    images = torch.randn(batch, spec.in_channels, side, side)
    assert saved_bytes(spec.build(0), images) == spec.training_memory(images.shape[1:], batch).activations


def residual(block: dict[str, Any], **fields: Any) -> NetworkSpec:
    stages = [{"block": block, "depth": 2, "width": 16, "stride": stride} for stride in (1, 2)]
    return NetworkSpec.model_validate({"stages": stages, **fields})


@pytest.mark.parametrize("anti_alias", [False, True])
@pytest.mark.parametrize("family", ["basic", "bottleneck"])
@pytest.mark.parametrize(
    ("field", "kind"),
    [(field, kind) for field, registry in PARTS.items() for kind in registry.kinds() if kind != "identity"],
)
def test_of_every_part(field: str, kind: str, family: str, anti_alias: bool) -> None:
    demand_exact(residual({"kind": family, field: kind, "anti_alias": anti_alias}))
    if field == "activation":  # what a norm keeps, an activation behind a convolution may have to
        demand_exact(residual({"kind": family, field: kind, "norm": "none"}))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["se", "eca", "cbam"])
def test_of_attention_in_every_place(kind: str, place: str) -> None:
    attention = {"kind": kind, "place": place, **LARGER.get(kind, {})}
    for shortcut in ("projection", "zero_padded", "average_projection"):
        demand_exact(residual({"kind": "basic", "attention": attention, "shortcut": shortcut}))


@pytest.mark.parametrize("gate", ["sigmoid", "hardsigmoid"])
@pytest.mark.parametrize("activation", ["relu", "silu", "none"])
def test_of_the_fields_of_squeeze_and_excitation(gate: str, activation: str) -> None:
    attention = {"kind": "se", "ratio": 0.5, "gate": gate, "activation": activation}
    demand_exact(residual({"kind": "bottleneck", "attention": attention}))


@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_of_stems_and_heads(given: dict[str, Any]) -> None:
    demand_exact(network(**given), side=24)
    demand_exact(network(**given), side=29)


def test_of_dropout_and_drop_path() -> None:
    demand_exact(residual({"kind": "bottleneck", "dropout": 0.2}, drop_path=0.2))
