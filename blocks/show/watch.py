"""Watching modules work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd


@contextmanager
def deviations(modules: dict[str, nn.Module]) -> Iterator[dict[str, float]]:
    """Gives the standard deviations of what modules put out, by their names, while they run."""
    stds: dict[str, float] = {}

    def hook_of(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, out: Tensor) -> None:
            stds[name] = out.detach().float().std().item()

        return hook

    handles = [module.register_forward_hook(hook_of(name)) for name, module in modules.items()]
    try:
        yield stds
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def biases_taken_away(modules: dict[str, nn.Module]) -> Iterator[list[str]]:
    """Gives the names of modules within these whose biased output a batch norm is given, while they run.

    However a user's forward is written, this tensor is that tensor.
    """
    found: list[str] = []
    biased: dict[int, tuple[str, Tensor, int]] = {}

    def hook_of(name: str) -> Any:
        def remember(module: nn.Module, inputs: Any, out: Tensor) -> None:
            biased[id(out)] = name, out, out._version  # holding it keeps another from taking its place

        return remember

    def compare(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        name, out, version = biased.get(id(inputs[0]), ("", None, 0))
        if out is not None and out._version == version:
            found.append(name)

    handles = []
    for outer, module in modules.items():
        for name, inner in module.named_modules(prefix=outer):
            if isinstance(inner, (_ConvNd, nn.Linear)) and inner.bias is not None:
                handles.append(inner.register_forward_hook(hook_of(name)))
            elif isinstance(inner, _BatchNorm):
                handles.append(inner.register_forward_pre_hook(compare))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
