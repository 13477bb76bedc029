"""What arithmetic says of a network is what the built network does: for random networks of everything registered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks import Cost, InfeasibleSpec, InputTooSmall, Network, NetworkSpec
from blocks.counting import _Counter, saved_bytes
from tests.blocks.drawing import random_spec
from tests.blocks.networks import random_shape

BATCH = 2


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_guard_build_cost_and_memory_agree(draw: random.Random) -> None:
    spec = random_spec(draw)
    shape = random_shape(draw, spec.in_channels)
    if demand_agreement(spec, shape) == "runs":
        network = spec.build(0)
        images = torch.randn(BATCH, *shape)
        assert saved_bytes(network, images) == spec.training_memory(shape, BATCH).activations


def test_guard_and_build_agree_on_random_networks() -> None:
    outcomes = agreement_of(250)
    assert min(outcomes[side] for side in ("runs", "too small", "infeasible")) >= 20  # all sides of the law were seen


def agreement_of(count: int, seed: int = 7) -> Counter[str]:
    draw = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        spec = random_spec(draw)
        outcomes[demand_agreement(spec, random_shape(draw, spec.in_channels))] += 1
    return outcomes


def demand_agreement(spec: NetworkSpec, shape: tuple[int, int, int]) -> str:
    """The law: what cost() accepts builds, runs, and costs just that; what it refuses doesn't build, or doesn't run."""
    refused = refusal(lambda: spec.cost(shape))
    if refused is not None and not isinstance(refused, InputTooSmall):
        assert refused.stage is not None or "drop_path" in str(refused)
        assert str(refusal(lambda: spec.build(0))) == str(refused)
        return "infeasible"
    with torch.random.fork_rng(devices=[]):
        network = Network(spec)
    images = torch.ones(BATCH, *shape)
    if refused is not None:
        with pytest.raises(ValueError, match="too small"):
            network(images)
        return "too small"
    with _Counter() as counter, torch.no_grad():
        outputs = outputs_of(network, images)
    params = sum(parameter.numel() for parameter in network.parameters())
    assert Cost(counter.macs // BATCH, params, counter.activations // BATCH) == spec.cost(shape)
    *rows, head = spec.cost_by_block(shape)
    assert {row.name: outputs[row.name] for row in rows} == {row.name: row.output for row in rows}
    assert outputs["head"] == head.output[:1]
    return "runs"


def refusal(attempt: Callable[[], object]) -> InfeasibleSpec | None:
    try:
        attempt()
    except InfeasibleSpec as error:
        return error
    return None


def outputs_of(network: Network, images: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Returns the shape, without the batch, that each module of a network puts out."""
    outputs: dict[str, tuple[int, ...]] = {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, out, name=name: outputs.update({name: tuple(out.shape[1:])}))
    network(images)
    return outputs
