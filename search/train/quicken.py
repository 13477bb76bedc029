"""Compiled blocks, and recorded steps: the same computation, started faster."""

from __future__ import annotations

import torch
from torch import nn

from blocks import Network
from search.train.precision import autocast
from search.train.recipe import TrainSpec

MOST_VARIANTS = 256
"""So many different blocks are compiled; Dynamo's own limit of 8 would leave those of the later stages as they are."""


def quicken(
    network: Network, recipe: TrainSpec, shape: tuple[int, int, int], images: int, device: torch.device
) -> None:
    """Prepares a network for steps as its recipe asks: compiled, recorded, or left alone.

    Args:
        network: On its device; prepared in place.
        recipe: For ``compile``, ``cuda_graphs`` and the precision.
        shape: C H W of an image.
        images: How many go through it at a time.
        device: Where.
    """
    if recipe.compile == "on":
        compile_blocks(network)
    if recipe.cuda_graphs and device.type == "cuda" and recipe.batch_size % images == 0:
        record(network, recipe.precision, torch.zeros(images, *shape, device=device))


def compile_blocks(network: Network) -> None:
    """Has Inductor compile each block at its first use; equal blocks are compiled once.

    The compiler runs in this process: a pool of its own would outlive a worker that is killed.
    """
    torch._dynamo.config.recompile_limit = MOST_VARIANTS
    torch._inductor.config.compile_threads = 1
    for _, block in network.blocks():
        block.compile(dynamic=False)


def record(network: nn.Module, precision: str, images: torch.Tensor) -> None:
    """Records a training network's forward and backward pass as CUDA graphs, replayed at each call in training.

    Args:
        network: In place; its running statistics stay what they are.
        precision: What it computes in.
        images: N C H W, of the shape of every later call.
    """
    sample = images.contiguous(memory_format=torch.channels_last)
    kept = [buffer.clone() for buffer in network.buffers()]
    network.train()
    with autocast(precision, images.device, cached=False):
        torch.cuda.make_graphed_callables(network, (sample,))
    for buffer, before in zip(network.buffers(), kept, strict=True):
        buffer.copy_(before)  # recording ran the network some times
    network.zero_grad(set_to_none=True)
