"""Counting what torch really computes, operation by operation. The conventions are those of `blocks.cost`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from blocks.cost import Cost, Shape

BATCH = 2
"""Batch norm in training refuses a single value a channel, which one image of 1x1 would be."""


def count(module: nn.Module, shape: Shape) -> Cost:
    """Returns the cost of one image of C H W. See `blocks.cost.measure`."""
    ghosts = {name: _on_meta(tensor) for name, tensor in (*module.named_parameters(), *module.named_buffers())}
    images = torch.empty(BATCH, *shape, device="meta")
    with torch.no_grad(), _Counter() as counter:
        functional_call(module, ghosts, (images,))
    params = sum(parameter.numel() for parameter in module.parameters())
    return Cost(counter.macs // BATCH, params, counter.activations // BATCH)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the operations that pass by, for the whole batch."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = self.activations = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        rule = RULES.get(func.overloadpacket)
        if rule is not None:
            macs, activations = rule(args, out)
            self.macs += macs
            self.activations += activations
        return out


def _convolution(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    images, weight, transposed = args[0], args[1], args[6]
    multiplied = images if transposed else out
    return multiplied.numel() * prod(weight.shape[1:]), out.numel()


def _linear(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    left = args[-2]  # addmm has the bias before it
    return out.numel() * left.shape[-1], out.numel()


def _product(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    return out.numel() * args[-2].shape[-1], 0


def _pool(args: tuple[Any, ...], out: Any) -> tuple[int, int]:
    return 0, (out[0] if isinstance(out, tuple) else out).numel()


aten = torch.ops.aten
RULES: dict[Any, Callable[[tuple[Any, ...], Any], tuple[int, int]]] = {
    aten.convolution: _convolution,
    aten.mm: _linear,
    aten.addmm: _linear,
    aten.bmm: _product,
    aten.baddbmm: _product,
    aten.max_pool2d_with_indices: _pool,
    aten.avg_pool2d: _pool,
}


def _on_meta(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, device="meta")
