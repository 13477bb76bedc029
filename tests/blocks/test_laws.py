"""Laws that hold for every registered block family with every registered part. A new kind is tested by being there."""

from __future__ import annotations

import copy
from itertools import combinations as combinations_of
from pathlib import Path
from typing import Any

import pytest
import torch

from blocks import NetworkSpec, measure
from blocks.block import BLOCKS
from tests.blocks.networks import FAMILIES_AND_PARTS, PARTS, feasible_for, small

SHAPE = (3, 8, 8)
families = pytest.mark.parametrize("family", list(BLOCKS.kinds()))


def having(field: str) -> pytest.MarkDecorator:
    """Every family that has a field."""
    return pytest.mark.parametrize(
        "family", [kind for kind, spec in BLOCKS.kinds().items() if field in spec.model_fields]
    )


combinations = pytest.mark.parametrize(("family", "field", "kind"), FAMILIES_AND_PARTS)


THOROUGH = ("preactivation_bottleneck", "inverted_bottleneck", "dense", "convnext")
"""Families that the slow tests see with every part: each puts norm, activation and attention elsewhere."""


def everyday(family: str, field: str, kind: str) -> bool:
    """Every family with its defaults, and every part in one family."""
    return family == "basic" or (field == "norm" and kind == BLOCKS.kinds()[family].model_fields["norm"].default.kind)


thinned = pytest.mark.parametrize(
    ("family", "field", "kind"),
    [
        one if everyday(*one) else pytest.param(*one, marks=pytest.mark.slow)
        for one in FAMILIES_AND_PARTS
        if everyday(*one) or one[0] in THOROUGH
    ],
)


def images(spec: NetworkSpec, count: int = 2, side: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, spec.in_channels, side, side, generator=generator)


@combinations
def test_cost_is_what_is_measured(family: str, field: str, kind: str) -> None:
    spec = feasible_for(family, field, kind)
    assert measure(spec.build(0), SHAPE) == spec.cost(SHAPE)


@combinations
def test_gradients_reach_every_parameter(family: str, field: str, kind: str) -> None:
    spec = feasible_for(family, field, kind)
    network = spec.build(0)
    network(images(spec, 8)).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@thinned
def test_round_trip_through_yaml_and_json(family: str, field: str, kind: str, tmp_path: Path) -> None:
    spec = feasible_for(family, field, kind)
    path = tmp_path / "network.yaml"
    path.write_text(spec.to_yaml(), encoding="utf-8")
    assert NetworkSpec.from_yaml(path) == spec
    assert NetworkSpec.model_validate_json(spec.canonical_json) == spec
    assert NetworkSpec.from_yaml(path).to_yaml() == spec.to_yaml()


@pytest.mark.parametrize(("family", "field"), sorted({(family, field) for family, field, _ in FAMILIES_AND_PARTS}))
def test_no_two_kinds_of_a_part_compute_the_same(family: str, field: str) -> None:
    kinds = [
        kind for kind in PARTS[field].kinds() if kind != "identity"
    ]  # where it is feasible, projections are identities
    logits = [magnified(small({"kind": family, field: kind})) for kind in kinds]
    for one, other in combinations_of(logits, 2):
        assert not torch.allclose(one, other)


@torch.no_grad()
def magnified(spec: NetworkSpec) -> torch.Tensor:
    """Logits of a network whose maps have values beyond 6, where ReLU and ReLU6 differ."""
    network = spec.build(0)
    for parameter in network.parameters():
        parameter.mul_(5)
    return network(images(spec, 4))


@families
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_shape_and_stride(family: str, stride: int) -> None:
    spec = small(family, strides=(stride,))
    network = spec.build(0)
    maps = network.stages(network.stem(images(spec, side=12)))
    assert maps.shape == (2, spec.out_channels, 12 // stride, 12 // stride)
    assert spec.cost_by_block((3, 12, 12))[-2].output == tuple(maps.shape[1:])
    assert network(images(spec, side=12)).shape == (2, 5)


@families
def test_the_classifier_takes_what_the_last_block_puts_out(family: str) -> None:
    """Nobody says a number twice: not the expansion, not the classifier's inputs."""
    spec = small(family, strides=(1, 2))
    network = spec.build(0)
    maps = network.stages(network.stem(images(spec)))
    assert network.head.linear.in_features == maps.shape[1] == spec.out_channels


@families
def test_rows_sum_to_the_whole(family: str) -> None:
    spec = small(family)
    rows = spec.cost_by_block(SHAPE)
    assert [row.name for row in rows] == ["stem", "stages.0.0", "stages.0.1", "stages.1.0", "stages.1.1", "head"]
    assert sum((row.cost for row in rows[1:]), rows[0].cost) == spec.cost(SHAPE)
    modules = dict(spec.build(0).named_modules())
    for row in rows:
        assert sum(p.numel() for p in modules[row.name].parameters()) == row.cost.params


@having("zero_init_residual")
def test_zero_initialised_blocks_start_as_their_shortcut_and_activation(family: str) -> None:
    """With an identity shortcut, a block is activation(x): x itself where x comes out of a ReLU."""
    summed = {"shortcut": "where_equal"} if "shortcut" in BLOCKS.kinds()[family].model_fields else {}
    zeroed, usual = (small({"kind": family, **summed, "zero_init_residual": zero}).build(0) for zero in (True, False))
    x = torch.randn(2, small(family, strides=(1,)).out_channels, 8, 8).relu()
    assert torch.equal(zeroed.stages[0][1](x), x)
    assert not torch.equal(usual.stages[0][1](x), x)


@families
def test_four_and_four_point_zero_are_one_identity(family: str) -> None:
    fields = BLOCKS.kinds()[family].model_fields
    numbers = {"expansion": 4} if "expansion" in fields else {"attention": {"kind": "se", "ratio": 1}}
    floats = {"expansion": 4.0} if "expansion" in fields else {"attention": {"kind": "se", "ratio": 1.0}}
    one, other = small({"kind": family, **numbers}), small({"kind": family, **floats})
    assert one == other
    assert hash(one) == hash(other)
    assert one.identity == other.identity


@thinned
def test_channels_last_gives_the_same_logits(family: str, field: str, kind: str) -> None:
    spec = feasible_for(family, field, kind)
    network, x = spec.build(0).eval(), images(spec)
    expected = network(x)
    actual = network.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


@thinned
def test_bfloat16_autocast(family: str, field: str, kind: str) -> None:
    spec = feasible_for(family, field, kind)
    network = spec.build(0)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(images(spec, 4))
    logits.float().sum().backward()
    assert logits.dtype == torch.bfloat16
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.slow
@thinned
def test_compiles_as_one_graph(family: str, field: str, kind: str) -> None:
    spec = feasible_for(family, field, kind)
    network, x = spec.build(0).eval(), images(spec)
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), network(x))


@pytest.mark.slow
@families
def test_exports_with_any_batch(family: str) -> None:
    spec = small(family)
    network = spec.build(0).eval()
    program = torch.export.export(network, (images(spec),), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    for count in (1, 7):
        torch.testing.assert_close(program.module()(images(spec, count)), network(images(spec, count)))


@families
@pytest.mark.slow
def test_inductor_compiles_one_block(family: str) -> None:
    spec = small(family, strides=(1,), depth=1)
    network, x = spec.build(0).eval(), images(spec)
    torch._dynamo.reset()
    with torch.no_grad():
        compiled = torch.compile(network, fullgraph=True)(x)
        torch.testing.assert_close(compiled, network(x), rtol=1e-4, atol=1e-5)


@families
@pytest.mark.parametrize("change", [{"width": True}, {"width": 2.5}, {"width": 0}, {"depth": -1}, {"stride": 0}])
def test_counts_are_whole_and_positive(family: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="stages"):
        NetworkSpec.model_validate({"stages": [{"block": family, "width": 8, **change}]})


@families
def test_unknown_fields_are_refused_by_name(family: str) -> None:
    with pytest.raises(ValueError, match=r"unknown field 'actvation'.*did you mean 'activation'"):
        small({"kind": family, "actvation": "gelu"})


@families
def test_modules_are_independent(family: str) -> None:
    network = small(family).build(0)
    tensors = [p.data_ptr() for p in network.parameters()]
    assert len(set(tensors)) == len(tensors)
    assert copy.deepcopy(network).spec == network.spec
