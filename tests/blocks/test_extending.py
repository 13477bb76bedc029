"""A user's own block and norm: a class with a decorator, and nothing else to edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch

from blocks import BlockSpec, InfeasibleSpec, Site, measure, register_block
from blocks.block import BLOCKS
from blocks.cost import Tally
from blocks.layers import Conv, Elementwise, Identity, Layer, Residual, Scale
from tests.blocks.networks import small

SHAPE = (3, 8, 8)


class GrowingBlockSpec(BlockSpec):
    """Each block widens the stream by 2 channels, as dense blocks do: no two of a stage are alike."""

    kind: Literal["test_growing"] = "test_growing"

    def inner_channels(self, site: Site) -> int:
        return site.width

    def layers(self, site: Site) -> Layer:
        return Conv(site.in_channels, site.in_channels + 2, 3, site.stride)


class BroadcastingBlockSpec(GrowingBlockSpec):
    """A residual sum of one channel and many, which torch would broadcast silently."""

    kind: Literal["test_broadcasting"] = "test_broadcasting"  # type: ignore[assignment]

    def layers(self, site: Site) -> Layer:
        return Residual(Conv(site.in_channels, 1), Identity(), Elementwise("ReLU"))


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    BLOCKS.kinds()
    own = (GrowingBlockSpec, BroadcastingBlockSpec)
    for spec in own:
        register_block(spec)
    yield
    for spec in own:
        del BLOCKS._specs[str(spec.model_fields["kind"].default)]


def test_blocks_that_differ_within_a_stage_are_costed_one_by_one() -> None:
    spec = small("test_growing", strides=(1, 2))
    assert [row.output[0] for row in spec.cost_by_block(SHAPE)] == [8, 10, 12, 14, 16, 5]
    assert measure(spec.build(0), SHAPE) == spec.cost(SHAPE)
    assert spec.out_channels == 16


def test_unlike_blocks_without_end_are_refused() -> None:
    plain = small("test_growing", strides=(1,)).plain()
    plain["stages"][0]["depth"] = 10**9
    with pytest.raises(InfeasibleSpec, match=r"^stage 0, block 10000: more than 10,000 blocks"):
        small("test_growing").model_validate(plain).cost(SHAPE)


def test_a_residual_sum_never_broadcasts() -> None:
    with pytest.raises(InfeasibleSpec, match="residual sum needs equal shapes, but the branch gives 1x"):
        small("test_broadcasting").build()


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (2, 3, 1, 1)])
def test_the_module_itself_never_broadcasts(shape: tuple[int, ...]) -> None:
    class Constant(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.new_zeros(shape)

    module = Residual(Identity(), Identity(), Identity()).build()
    module.branch = Constant()
    for runner in (module, torch.compile(module, fullgraph=True, backend="eager")):
        torch._dynamo.reset()
        with pytest.raises(Exception, match="a residual sum needs equal shapes"):
            runner(torch.zeros(2, 3, 4, 4))


def test_a_gate_gives_one_number_a_channel() -> None:
    with pytest.raises(InfeasibleSpec, match="a gate of 8x4x4 can't scale a map of 8x4x4"):
        Scale(Conv(8, 8)).trace((8, 4, 4), Tally())


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match=r"'basic' is registered by blocks.families.basic already"):

        @register_block
        class Another(BlockSpec):
            kind: Literal["basic"] = "basic"


@pytest.mark.parametrize("thing", [int, 3, "basic", BroadcastingBlockSpec()])
def test_only_a_spec_class_is_registered(thing: Any) -> None:
    with pytest.raises(TypeError, match="only a class derived from Spec can be registered as a block, not"):
        register_block(thing)
