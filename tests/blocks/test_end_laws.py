"""Laws that hold for every registered stem, head and pooling. A new kind is tested by being there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from blocks import NetworkSpec, measure
from blocks.parts.head import HEADS
from blocks.parts.pool import POOLS
from blocks.parts.stem import STEMS

SHAPE = (3, 20, 24)
SMALL = {"vgg": {"grid": 2, "hidden": [32, 32]}, "convolution": {"width": 12}}


def network(**ends: Any) -> NetworkSpec:
    """Returns a small network with these ends; its maps are of 5x6 behind the largest reduction."""
    head = {"num_classes": 5, **ends.get("head", {"kind": "linear"})}
    stem = ends.get("stem", {"kind": "conv3x3"})
    return NetworkSpec.model_validate({"stem": stem, "stages": [{"block": "basic", "width": 8}], "head": head})


VARIANTS = [
    *({"stem": {"kind": kind}} for kind in STEMS.kinds()),
    *({"stem": {"kind": kind, "anti_alias": True}} for kind in ("conv7x7", "deep")),
    {"stem": {"kind": "deep", "last": "bare", "pool": False}},
    {"stem": {"kind": "conv7x7", "norm": "none", "activation": "none", "bias": False}},
    {"stem": {"kind": "patchify", "patch": 2, "bias": True}},
    *({"head": {"kind": kind, **SMALL.get(kind, {})}} for kind in HEADS.kinds()),
    *({"head": {"kind": "linear", "pool": pool, "dropout": 0.2}} for pool in POOLS.kinds()),
    {"head": {"kind": "linear", "pool": {"kind": "attention", "heads": 4}}},
    {"head": {"kind": "convolution", "width": 64, "norm": "none", "activation": "mish", "dropout": 0.1, "pool": "max"}},
    {"head": {"kind": "linear", "norm": "batch", "activation": "silu", "pooled_norm": "layer"}},
]
ends = pytest.mark.parametrize("given", VARIANTS, ids=str)


def images(count: int = 4) -> torch.Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(1))


@ends
def test_cost_is_what_is_measured(given: dict[str, Any]) -> None:
    spec = network(**given)
    assert measure(spec.build(0), SHAPE) == spec.cost(SHAPE)


@ends
def test_gradients_reach_every_parameter(given: dict[str, Any]) -> None:
    built = network(**given).build(0)
    built(images(8)).square().sum().backward()
    assert [name for name, p in built.named_parameters() if p.grad is None or not p.grad.any()] == []


@ends
def test_round_trip_through_yaml(given: dict[str, Any], tmp_path: Path) -> None:
    spec, path = network(**given), tmp_path / "network.yaml"
    path.write_text(spec.to_yaml(), encoding="utf-8")
    assert NetworkSpec.from_yaml(path) == spec


@pytest.mark.slow
@ends
def test_compiles_as_one_graph_and_exports(given: dict[str, Any]) -> None:
    built = network(**given).build(0).eval()
    torch._dynamo.reset()
    compiled = torch.compile(built, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(images()), built(images()))
    program = torch.export.export(built, (images(),), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    for count in (1, 7):
        torch.testing.assert_close(program.module()(images(count)), built(images(count)))


@ends
def test_channels_last_and_bfloat16(given: dict[str, Any]) -> None:
    built = network(**given).build(0).eval()
    expected = built(images())
    actual = built.to(memory_format=torch.channels_last)(images().to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        logits = built.train()(images())
    logits.float().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in built.parameters())


@pytest.mark.parametrize("end", ["stem", "head"])
def test_no_two_compute_the_same(end: str) -> None:
    structures = [network(**given).structure for given in VARIANTS if end in given]
    default = network().structure  # which is one of them, under its own name
    assert structures.count(default) == 1
    assert len(set(structures)) == len(structures)
