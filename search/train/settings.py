"""What a trial asks of the process and the device it runs on."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TypeVar

import torch
from torch import nn

LARGEST_HEAP_BLOCK, NEVER_TRIMMED = 2**30, 2**31 - 1
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""Numbers of glibc's ``mallopt``."""


Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def trial_settings(threads: int, *, deterministic: bool = False) -> Iterator[None]:
    """Sets what torch keeps for the whole process, and puts it back.

    The number of CPU threads. On GPUs the choice of the fastest convolution by trying, which pays because every step
    has the same shape, and TF32 for products of float32; or, with ``deterministic``, none but deterministic operations,
    for which cuBLAS asks for a workspace of its own. On a CPU torch's operations are deterministic for a given number
    of threads without being told.
    """
    keep_heap()
    products_before, benchmark_before = torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.benchmark
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    torch.backends.cudnn.benchmark = not deterministic
    try:
        with cpu_threads(threads), _deterministic() if deterministic else nullcontext():
            yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = products_before
        torch.backends.cudnn.benchmark = benchmark_before


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Has torch compute with so many threads on the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _deterministic() -> Iterator[None]:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    enabled, chosen = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    # It is there to find reads of memory that nothing was written to, and takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled)
        torch.backends.cudnn.deterministic = chosen
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


def on_device(network: Module, device: torch.device) -> Module:
    """Moves a network, its convolutions' weights with the channels innermost, as its images have them."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def device_name(device: torch.device) -> str:
    """Returns ``cpu``, or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@cache
def keep_heap() -> None:
    """Tells the C library, where it is glibc, to keep freed memory for the next step instead of giving it back.

    A training step frees all that it allocates. By default most of that goes back to the system, and comes back zeroed,
    page by page: 5 to 9% of the time of ResNet-20's step on a CPU. ``give_heap_back`` returns it between trials.
    """
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    if setting is not None:
        setting(MMAP_THRESHOLD, LARGEST_HEAP_BLOCK)
        setting(TRIM_THRESHOLD, NEVER_TRIMMED)
        setting(TOP_PAD, 64 * 2**20)
