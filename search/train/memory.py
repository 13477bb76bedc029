"""How much memory a trial takes, measured so that a second trial in the same process is not charged for the first."""

from __future__ import annotations

import ctypes
import gc
from functools import cache
from pathlib import Path

import torch

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class MemoryMeter:
    """The peak of memory since the meter was made.

    On a GPU: the bytes that torch had allocated at most, data set included. On a CPU: by how much the process's
    resident memory rose at most. The heap of earlier trials is given back and the kernel's high-water mark reset
    first; ``ru_maxrss``, the usual measure, covers the life of the process and never falls.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
            return
        give_heap_back()
        self._start = reset_resident_peak()

    def peak(self) -> int | None:
        """Returns bytes, or None where the system does not tell (it takes Linux, and leave to write to /proc)."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return None if self._start is None else max(0, resident("VmHWM") - self._start)


def give_memory_back() -> None:
    """Returns to the system what the trials of this process have left, of the GPU too: its next may be elsewhere."""
    gc.collect()
    _leave_modules_alone()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
    give_heap_back()


@cache
def _leave_modules_alone() -> None:
    """Exempts what is left after a process's first trial from later collections: modules, whose half a million objects
    take a fifth of a second to look at, as long as a small trial."""
    gc.freeze()


def reset_resident_peak() -> int | None:
    """Sets the kernel's mark of the most resident memory back to what is resident now, and returns that in bytes."""
    try:
        RESET.write_text("5")
    except OSError:
        return None
    return resident("VmRSS")


def resident(field: str) -> int:
    """Returns a field of the process's status, in bytes."""
    fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(fields[field].split()[0]) * 1024


def give_heap_back() -> None:
    """Asks the C library to return free memory to the system, where it knows how (glibc does)."""
    trim = getattr(_c_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
