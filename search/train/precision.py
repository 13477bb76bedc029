"""The precision that a network computes in; its weights, its loss and all tallies are float32 in any case."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(precision: str, device: torch.device, *, cached: bool = True) -> AbstractContextManager[object]:
    """Returns a context in which convolutions and matrix products are of a precision: ``"float32"`` changes nothing.

    Args:
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        device: Where.
        cached: Whether a weight that is used twice is cast once. Not while a CUDA graph is recorded, which would keep
            the cast of one step for all.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, TYPES[precision], cache_enabled=cached)


def scaler_for(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """Returns what keeps float16's gradients from vanishing; the other precisions have float32's range and need none.

    Source: Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740
    """
    return torch.amp.GradScaler(device.type) if precision == "float16" else None
