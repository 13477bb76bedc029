"""Gradient checkpointing that leaves no trace: what runs twice is counted once.

A block that runs again in the backward pass would move the running statistics of its batch norms twice. Here they are
moved by the first run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointed(function: Callable[[Tensor], Tensor], modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Returns function(x), which runs these modules; of all that its gradient needs, only x is kept until then.

    Source: Chen et al. 2016, https://arxiv.org/abs/1604.06174
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _still_statistics(modules)

    out: Tensor = checkpoint(function, x, use_reentrant=False, context_fn=contexts)
    return out


@contextmanager
def _still_statistics(modules: Sequence[nn.Module]) -> Iterator[None]:
    norms = [norm for module in modules for norm in module.modules() if isinstance(norm, _BatchNorm)]
    own = [dict(norm.named_buffers(recurse=False)) for norm in norms]
    for norm, buffers in zip(norms, own, strict=True):
        for name, buffer in buffers.items():
            setattr(norm, name, buffer.clone())  # the second run moves copies
    try:
        yield
    finally:
        for norm, buffers in zip(norms, own, strict=True):
            for name, buffer in buffers.items():
                setattr(norm, name, buffer)
