"""What a trial asks of the process and the device it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def trial_settings(threads: int) -> Iterator[None]:
    """Sets what torch keeps for the whole process, and puts it back: the number of CPU threads; and on GPUs the choice
    of the fastest convolution by trying, which pays because every step has the same shape.

    On a CPU torch's operations are deterministic for a given number of threads without being told.
    """
    before = torch.get_num_threads(), torch.backends.cudnn.benchmark
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cudnn.benchmark = before[1]


def on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Moves a network, its convolutions' weights with the channels innermost, as its images have them."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
