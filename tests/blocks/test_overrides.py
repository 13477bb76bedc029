"""Single blocks of a stage that are unlike the others."""

from __future__ import annotations

from typing import Any

import pytest

from blocks import InfeasibleSpec, NetworkSpec, measure
from tests.blocks.networks import small

SHAPE = (3, 8, 8)


def overridden(*overrides: dict[str, Any], depth: int = 4) -> NetworkSpec:
    plain = small("basic", strides=(1,)).plain()
    plain["stages"][0] |= {"depth": depth, "overrides": list(overrides)}
    return NetworkSpec.model_validate(plain)


def test_one_field_of_some_blocks() -> None:
    spec = overridden({"at": [0, -1], "set": {"attention": {"kind": "se", "ratio": 0.5}}})
    network = spec.build(0)
    assert [hasattr(block.branch, "attention") for block in network.stages[0]] == [True, False, False, True]
    assert measure(network, SHAPE) == spec.cost(SHAPE)
    params = [row.cost.params for row in spec.cost_by_block(SHAPE)[1:-1]]
    assert params[0] == params[3] > params[1] == params[2]


def test_a_kind_replaces_the_whole_block() -> None:
    spec = overridden({"at": [1], "set": {"kind": "bottleneck", "expansion": 1}})
    assert [row.kind for row in spec.cost_by_block(SHAPE)[1:-1]] == ["basic", "bottleneck", "basic", "basic"]


def test_the_later_override_is_applied_on_top() -> None:
    spec = overridden({"at": [1], "set": {"kernel": 5}}, {"at": [1, 2], "set": {"activation": "gelu"}})
    assert (spec.stages[0].block_at(1).kernel, spec.stages[0].block_at(2).kernel) == (5, 3)
    assert [spec.stages[0].block_at(index).activation.kind for index in range(4)] == ["relu", "gelu", "gelu", "relu"]


@pytest.mark.parametrize("at", [4, -5])
def test_a_block_that_is_not_there(at: int) -> None:
    with pytest.raises(InfeasibleSpec, match=f"^stage 0: an override of block {at}, but there are 4 blocks"):
        overridden({"at": [at], "set": {"kernel": 5}}).build()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"at": [0], "set": {"kernal": 5}}, r"overrides.0.set.kernal: .*did you mean 'kernel'"),
        ({"at": [0], "set": {"kernel": 4}}, r"overrides.0.set.kernel: .*4 is even"),
        ({"at": [0], "set": {}}, "at least 1"),
        ({"at": [], "set": {"kernel": 5}}, "at least 1"),
        ({"at": [0.5], "set": {"kernel": 5}}, "valid integer"),
    ],
)
def test_bad_overrides_name_the_field(override: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        overridden(override)


def test_a_million_overrides_are_refused_at_once() -> None:
    spec = overridden({"at": list(range(1_000_000)), "set": {"kernel": 5}}, depth=1_000_000)
    with pytest.raises(InfeasibleSpec, match=r"^stage 0: overrides of 1,000,000 blocks are more than 10,000"):
        spec.cost(SHAPE)


def test_an_override_that_changes_nothing_is_the_same_network() -> None:
    assert overridden({"at": [0], "set": {"kernel": 3}}).structure == overridden().structure
    assert overridden({"at": [0], "set": {"kernel": 5}}).structure != overridden().structure
