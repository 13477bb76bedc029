"""Compiled blocks on a CPU: Inductor's own code, not a stand-in for it."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from search.data import Splits
from search.train.loop import train
from search.train.quicken import compile_blocks
from tests.search.train.specs import network_for, recipe_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),  # Dynamo looks at it
]


def test_compiled_blocks_compute_what_plain_ones_do_and_learn_under_diagnosis(patterns: Splits) -> None:
    spec = network_for(patterns)
    images = torch.randn(32, spec.in_channels, 8, 8, generator=torch.Generator().manual_seed(0))
    plain, compiled = spec.build(0), spec.build(0)
    compile_blocks(compiled)
    for network in (plain, compiled):
        cross_entropy(network(images), torch.arange(32) % len(patterns.classes)).backward()
    for (name, one), (_, other) in zip(plain.named_parameters(), compiled.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5, msg=name)
    for one, other in zip(plain.buffers(), compiled.buffers(), strict=True):
        torch.testing.assert_close(one, other)

    found = train(spec, recipe_of(epochs=3, compile="on", diagnosis="full"), patterns, 0)
    assert found.status == "completed"
    assert found.epochs[-1].train_loss < found.epochs[0].train_loss
    assert found.diagnosis is not None
    assert found.diagnosis["curves"]["gradient_norm"]
    assert found.diagnosis["curves"]["sparsity"]
