"""What a built network does beyond its blocks: drop path, checkpointing, and errors that say where."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch
from torch import nn

from blocks import BlockSpec, InfeasibleSpec, NetworkSpec, Site, preset
from blocks.block import BLOCKS
from blocks.counting import saved_bytes
from blocks.modules import ResidualSum
from blocks.network import BlockError
from tests.blocks.networks import small


def sums(network: nn.Module) -> list[ResidualSum]:
    return [module for module in network.modules() if isinstance(module, ResidualSum)]


def with_drop_path(rate: float) -> NetworkSpec:
    return NetworkSpec.model_validate({**small("basic").plain(), "drop_path": rate})


def test_drop_path_grows_linearly_to_the_last_block() -> None:
    assert [module.drop_path for module in sums(with_drop_path(0.4).build(0))] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_dropped_branch_leaves_the_shortcut_of_its_image() -> None:
    torch.manual_seed(0)
    (module, *_) = sums(with_drop_path(0.5).build(0))
    module.drop_path = 0.5
    x = torch.randn(64, 8, 8, 8).relu()
    branch = module.branch(x)
    out = module(x)
    dropped = (out == x).flatten(1).all(1)
    assert 10 < int(dropped.sum()) < 54
    kept = ~dropped
    torch.testing.assert_close(out[kept], (branch[kept] * 2 + x[kept]).relu())


def test_drop_path_keeps_the_branchs_mean_and_does_nothing_in_evaluation() -> None:
    network = with_drop_path(0.9).build(0).eval()
    usual = small("basic").build(0).eval()
    images = torch.randn(4, 3, 8, 8)
    assert torch.equal(network(images), usual(images))


def test_drop_path_without_a_residual_sum_is_refused() -> None:
    plain = {**small({"kind": "basic", "shortcut": "none"}).plain(), "drop_path": 0.1}
    with pytest.raises(InfeasibleSpec, match="drop_path drops branches of residual sums, and this network has none"):
        NetworkSpec.model_validate(plain).build()


@pytest.mark.parametrize("block", ["basic", {"kind": "bottleneck", "attention": "se", "dropout": 0.3}])
def test_checkpointing_changes_nothing_but_memory(block: Any) -> None:
    spec = NetworkSpec.model_validate({**small(block).plain(), "drop_path": 0.3})
    images = torch.randn(4, 3, 8, 8)
    usual, saving = spec.build(0), spec.build(0)
    saving.gradient_checkpointing = True
    for network in (usual, saving):
        torch.manual_seed(1)
        network(images).square().sum().backward()
    for (name, one), other in zip(usual.named_parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    for (name, one), other in zip(usual.named_buffers(), saving.buffers(), strict=True):
        torch.testing.assert_close(one, other, msg=name)  # running statistics moved once, not twice
    assert saved_bytes(saving, images) < saved_bytes(usual, images) / 2


@pytest.mark.slow
@pytest.mark.parametrize("images", [32, pytest.param(128, marks=pytest.mark.exhaustive)])
def test_a_step_of_1202_layers_fits_into_8_gigabytes(images: int) -> None:
    """With checkpointing, on a batch of 128, or a quarter of it into a quarter; the process measures what it holds."""
    program = f"""
import resource, torch
images = {images}
from blocks import preset
spec = preset("resnet1202")
network = spec.build(0)
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
network.gradient_checkpointing = True
logits = network(torch.randn(images, 3, 32, 32))
torch.nn.functional.cross_entropy(logits, torch.zeros(images, dtype=torch.long)).backward()
assert all(parameter.grad is not None for parameter in network.parameters())
print(idle, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, spec.training_memory((3, 32, 32), images).total)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    idle, held, without = map(int, done.stdout.split())
    assert held - idle < (8e9 - idle) * images / 128
    assert without > 12e9 * images / 128  # what the step would need if everything were kept


class FragileBlockSpec(BlockSpec):
    """A user's own block that fails on maps of 4x4."""

    kind: Literal["test_fragile"] = "test_fragile"

    def module(self, site: Site) -> nn.Module:
        class Fragile(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x @ torch.ones(8, 8, device=x.device)

        return Fragile()


@pytest.fixture
def _fragile() -> Iterator[None]:
    BLOCKS.register(FragileBlockSpec)
    yield
    del BLOCKS._specs["test_fragile"]


@pytest.mark.usefixtures("_fragile")
def test_a_module_that_fails_is_named_with_the_shapes_that_met() -> None:
    spec = small("test_fragile", strides=(1,))
    with pytest.raises(InfeasibleSpec, match=r"^stage 0, block 0: its module fails on a map of 8x6x6: RuntimeError"):
        spec.cost((3, 6, 6))
    network = small("basic", strides=(1,)).build(0)
    network.stages[0][1] = FragileBlockSpec().module(Site(8, 8, 1))
    with pytest.raises(BlockError, match=r"^stage 0, block 1, given \(2, 8, 6, 6\): .*shape"):
        network(torch.zeros(2, 3, 6, 6))


def test_memory_is_counted_by_kind_and_stage() -> None:
    spec, shape = preset("resnet20"), (3, 32, 32)
    rows = spec.cost_by_layer(shape)
    whole = spec.cost(shape)
    assert sum(row.cost.macs for row in rows) == whole.macs
    assert sum(row.cost.params for row in rows) == whole.params
    assert {row.stage for row in rows} == {"stem", "0", "1", "2", "head"}
    saved = sum(128 * row.saved + row.saved_once for row in rows)
    memory = spec.training_memory(shape, 128, optimizer_states=2)
    assert memory.activations == saved
    assert memory.parameters == memory.gradients == memory.optimizer // 2 == 4 * whole.params
