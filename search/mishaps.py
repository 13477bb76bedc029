"""Telling by its words what went wrong on a device: too little memory, or a device that can no longer be trusted.

The words are those of torch, CUDA, cuBLAS, cuDNN and the C library. An error often comes wrapped in another by the time
it is caught, so that its type tells little, and its text is what there is to go by.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Literal

Mishap = Literal["out_of_memory", "device_lost"]

OUT_OF_MEMORY = (
    "out of memory",  # torch.OutOfMemoryError, cudaErrorMemoryAllocation, CUDNN_STATUS_... with CUDA's own words
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate",  # its workspace found no room
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",  # cuDNN 9: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, ..._HOST_ALLOCATION_FAILED
    "Unable to find a valid cuDNN algorithm to run convolution",  # none whose workspace fits
    "GET was unable to find an engine to execute this computation",  # likewise
    "NVML_SUCCESS == r INTERNAL ASSERT FAILED",  # on a slice of a card (MIG), where the allocator may not ask NVML
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "Unable to allocate",  # NumPy
)

DEVICE_LOST = (
    "an illegal memory access was encountered",
    "an illegal instruction was encountered",
    "misaligned address",
    "unspecified launch failure",
    "device-side assert triggered",
    "uncorrectable ECC error",
    "uncorrectable NVLink error",
    "hardware stack error",
    "invalid program counter",
    "invalid device context",
)
"""After any of these a process can do nothing more on its GPU, whatever it tries."""


def mishap(error: BaseException) -> Mishap | None:
    """Returns what kind of mishap an exception, or one that it was raised from, tells of; None for any other."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or (isinstance(seen, OSError) and seen.errno == errno.ENOMEM):
            return "out_of_memory"
        if (found := mishap_in(str(seen))) is not None:
            return found
        seen = seen.__cause__ or seen.__context__
    return None


def mishap_in(text: str) -> Mishap | None:
    """Returns what kind of mishap an error's text tells of. A lost device says so beside whatever else it says."""
    if any(words in text for words in DEVICE_LOST):
        return "device_lost"
    lowered = text.lower()
    return "out_of_memory" if any(words.lower() in lowered for words in OUT_OF_MEMORY) else None


def killed_for_memory() -> int | None:
    """Returns how many processes of this host (or of our control group) its kernel has killed to get memory, since it
    started; None where it doesn't tell. It rises between two calls if one was killed in between."""
    counts = [
        int(line.split()[1])
        for file in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))
        if file.is_file()
        for line in file.read_text().splitlines()
        if line.startswith("oom_kill ")
    ]
    return sum(counts) if counts else None
