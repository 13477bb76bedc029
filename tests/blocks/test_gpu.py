"""Every family on a GPU: the logits of the CPU, gradients in bfloat16, and checkpointing that saves memory."""

from __future__ import annotations

import copy

import pytest
import torch

from blocks.block import BLOCKS
from tests.blocks.networks import small

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
families = pytest.mark.parametrize("family", list(BLOCKS.kinds()))


@families
def test_logits_are_those_of_the_cpu(family: str) -> None:
    network = small(family).build(0).eval()
    images = torch.randn(4, 3, 32, 32)
    expected = network(images)
    on_gpu = copy.deepcopy(network).to("cuda", memory_format=torch.channels_last)
    actual = on_gpu(images.to("cuda", memory_format=torch.channels_last)).cpu()
    torch.testing.assert_close(actual, expected, rtol=1e-2, atol=1e-3)  # TensorFloat-32 may be on


@families
def test_a_step_in_bfloat16_reaches_every_parameter(family: str) -> None:
    network = small(family).build(0).to("cuda", memory_format=torch.channels_last)
    images = torch.randn(16, 3, 32, 32, device="cuda").to(memory_format=torch.channels_last)
    with torch.autocast("cuda", torch.bfloat16):
        logits = network(images)
    logits.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_checkpointing_takes_less_of_the_gpus_memory() -> None:
    spec = small("basic", strides=(1, 1, 1, 1), width=64, depth=8)
    images = torch.randn(64, 3, 64, 64, device="cuda")
    peaks = []
    for checkpointing in (False, True):
        network = spec.build(0).to("cuda")
        network.gradient_checkpointing = checkpointing
        torch.cuda.reset_peak_memory_stats()
        network(images).square().sum().backward()
        peaks.append(torch.cuda.max_memory_allocated())
        del network
    assert peaks[1] < peaks[0] / 2
