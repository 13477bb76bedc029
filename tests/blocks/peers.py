"""Modules of single parts, for comparison with the same written out in torch."""

from __future__ import annotations

import torch
from torch import nn

from blocks import initialise
from blocks.layers import Layer

X = torch.randn(2, 8, 5, 7, generator=torch.Generator().manual_seed(3))


def built(layer: Layer | None) -> nn.Module:
    """Returns a layer's module in evaluation mode, its vectors (scales, shifts, biases, statistics) random."""
    assert layer is not None
    module = layer.build()
    initialise(module, 0)
    generator = torch.Generator().manual_seed(4)
    for _, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.dim() == 1:
            tensor.data.uniform_(0.5, 1.5, generator=generator)
    return module.eval()


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Returns its tensors by name."""
    return dict(module.state_dict())
