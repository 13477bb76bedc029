"""A real Ray with runners that train nothing; prints the replies as JSON: ``python -m tests.faults.workers``."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

from search.cluster import OnRay
from search.local_ray import LocalRay
from search.study import RaySpec
from search.trial import Job

MIB = 2**20
CPU = RaySpec(gpus=0)


def main() -> None:
    process = LocalRay(None, 2)
    try:
        found = {
            "mishaps": replies(process, fails_in_its_own_way, ["first", "large", "lost", "killed", "last"]),
            "shared": replies(process, looks_at_all_images, list("abcd"), np.ones(256 * MIB, np.uint8)),
            "bare": replies(process, looks_at_all_images, list("abcd"), np.ones(4096, np.uint8)),
        }
    finally:
        process.close()
    print(json.dumps(found))  # noqa: T201


def replies(process: LocalRay, runner: Any, names: list[str], pixels: Any = None) -> dict[str, dict[str, Any]]:
    """Returns the reply of each job, two of them at a time."""
    made = OnRay(process, lambda job: pixels, data_of=lambda job: "", workers=2, threads=1, asked=CPU, runner=runner)
    found: dict[str, dict[str, Any]] = {}
    waiting, flying = list(names), 0
    while waiting or flying:
        while waiting and flying < made.slots:
            made.submit(Job(waiting.pop(0), "train", {"train": {"batch_size": 128}, "data": {}}, 0))
            flying += 1
        for ended, reply in made.wait():
            found[ended.name] = reply
            flying -= 1
    return found


def fails_in_its_own_way(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """A runner: the job's name says how it ends."""
    if job.name == "large" and job.images_at_once > 32:
        raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    if job.name == "lost":
        raise RuntimeError(f"CUDA error: an illegal memory access was encountered in process {os.getpid()}")
    if job.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"status": "completed", "reason": "", "process": os.getpid(), "micro_batch": job.images_at_once}


def looks_at_all_images(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """A runner: touches every page of the images, and tells what memory is its process's own."""
    total = int(splits[::4096].sum())
    fields = dict(line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    private = sum(int(fields[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) * 1024
    return {"status": "completed", "reason": "", "total": total, "private": private}


if __name__ == "__main__":
    main()
