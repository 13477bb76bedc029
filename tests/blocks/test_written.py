"""A network written out as plain Python is the same network, whatever it is made of."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest
import torch
from torch import nn

from blocks import InfeasibleSpec, Metadata, Network, NetworkSpec, TrainedNetwork, preset, python_source
from blocks.block import BLOCKS
from blocks.parts.head import HEADS
from blocks.parts.pool import POOLS
from blocks.parts.stem import STEMS
from tests.blocks.networks import FAMILIES_AND_PARTS, feasible_for, small

PARTS_ONCE = {(field, kind): (family, field, kind) for family, field, kind in reversed(FAMILIES_AND_PARTS)}
"""Every registered part in the first family that takes it."""


def written(network: Network) -> tuple[nn.Module, str]:
    """Returns the network that the source makes, with the weights of the given one, and the source."""
    source = python_source(network)
    scope: dict[str, Any] = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), scope)
    made: nn.Module = scope["Network"]()
    made.load_state_dict(network.state_dict())
    return made.eval(), source


def demand_same(spec: NetworkSpec, side: int = 16) -> str:
    network = spec.build(0).eval()
    made, source = written(network)
    x = torch.randn(2, spec.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(made(x), network(x))
    imported = {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= {"torch", *sys.stdlib_module_names}
    assert max(map(len, source.splitlines())) <= 120
    return source


@pytest.mark.parametrize("family", BLOCKS.kinds())
def test_every_family_gives_equal_logits(family: str) -> None:
    demand_same(small(family))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "field", "kind"), PARTS_ONCE.values())
def test_every_part_gives_equal_logits(family: str, field: str, kind: str) -> None:
    demand_same(feasible_for(family, field, kind))


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS.kinds())
@pytest.mark.parametrize("anti_alias", [False, True])
def test_every_stem(stem: str, anti_alias: bool) -> None:
    plain = small({"kind": "basic", "anti_alias": anti_alias}).plain()
    demand_same(NetworkSpec.model_validate({**plain, "stem": {"kind": stem}}), side=64)


@pytest.mark.slow
@pytest.mark.parametrize("head", [*HEADS.kinds(), *({"kind": "linear", "pool": pool} for pool in POOLS.kinds())])
def test_every_head(head: Any) -> None:
    plain = small("basic").plain()
    given = {"kind": head} if isinstance(head, str) else head
    smaller = {"hidden": (8,), "grid": 2} if head == "vgg" else {}
    demand_same(NetworkSpec.model_validate({**plain, "head": {**given, **smaller, "num_classes": 3}}), side=32)


def test_it_is_short_and_says_what_repeats() -> None:
    source = demand_same(preset("resnet20"), side=32)
    assert "*(stage_0_block_0() for _ in range(3))" in source
    assert source.count("\n") < 250


def test_a_trained_network_brings_its_preprocessing() -> None:
    metadata = Metadata(labels=tuple("abcde"), input=(3, 8, 8), mean=(0.1, 0.2, 0.3), std=(1, 0.5, 0.25))
    network = TrainedNetwork(small("basic"), metadata).eval()
    scope: dict[str, Any] = {"__name__": "written"}
    exec(python_source(network), scope)
    images = torch.randint(0, 256, (2, 3, 20, 20), dtype=torch.uint8)
    assert torch.equal(scope["preprocess"](images), network.preprocess(images))
    assert scope["labels"] == tuple("abcde")


def test_a_module_that_forgets_its_arguments_is_refused() -> None:
    class Forgetful(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()

    network = small("basic").build(0)
    network.head.add_module("mine", Forgetful(3))
    with pytest.raises(InfeasibleSpec, match="doesn't keep its argument 'width' as an attribute"):
        python_source(network)
