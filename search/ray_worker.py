"""What runs on the nodes of a cluster: the actor that does jobs, and small tasks beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from search.reaper import end_with_children
from search.trial import Job, Runner, attempt

MAY_KEEP = (
    "PATH", "HOME", "USER", "LOGNAME", "HOSTNAME", "SHELL", "LANG", "LC_", "TZ", "TMP", "TEMP", "XDG_", "LD_", "PYTHON",
    "VIRTUAL_ENV", "CONDA_", "CUDA", "NVIDIA_", "NCCL_", "CUBLAS_", "CUDNN_", "OMP_", "GOMP_", "KMP_", "MKL_",
    "OPENBLAS_", "NUMEXPR_", "MALLOC_", "TORCH", "PYTORCH_", "TRITON_", "CC", "CXX", "RAY_", "RESIDUAL_SEARCH_",
)  # fmt: skip
"""Beginnings of the names of variables that a worker keeps of its environment; others may be secrets."""

LAST_LINES = 20


class Place(NamedTuple):
    """Where a worker is: its node, and its process there."""

    node: str
    process: int


class Worker:
    """A Ray actor: does one job after another."""

    def __init__(self, runner: Runner, device: str) -> None:
        for name in [name for name in os.environ if not name.startswith(MAY_KEEP)]:
            del os.environ[name]
        self._runner, self._device = runner, device

    def place(self) -> Place:
        """Returns where this worker is."""
        import ray

        return Place(ray.get_runtime_context().get_node_id(), os.getpid())

    def do(self, job: Job, splits: Any) -> dict[str, Any]:
        """Does a job; returns its reply, with the node that it was done on."""
        return {**attempt(self._runner, job, splits, self._device), "node": self.place().node[:12]}


def last_lines(process: int) -> list[str]:
    """Returns the last lines that a worker of this node wrote, errors after the rest; it may be dead by now."""
    import ray

    folder = Path(ray._private.worker._global_node.get_logs_dir_path())
    found: list[str] = []
    for kind in ("out", "err"):
        for file in folder.glob(f"worker-*-{process}.{kind}"):
            found += file.read_text(errors="replace")[-20_000:].splitlines()
    return [line for line in found if line.strip()][-LAST_LINES:]


def end_there(process: int) -> None:
    """Ends a process of this node and all that descend from it."""
    end_with_children(process)


def memory_of_my_gpu() -> int:
    """Returns the bytes of the GPU that this task was given."""
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory)
