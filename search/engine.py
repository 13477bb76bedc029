"""Running jobs: in this process, or on Ray's workers; the caller can't tell which by the numbers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from search.trial import Job, Runner, attempt, run

Reply = dict[str, Any]
Splits = Any


class Executor(Protocol):
    """Takes jobs and gives back replies, in whatever order they come."""

    name: str
    slots: int

    def submit(self, job: Job) -> None:
        """Starts a job; the caller keeps no more than ``slots`` in flight."""
        ...

    def wait(self) -> list[tuple[Job, Reply]]:
        """Blocks until a job ends; returns every job that has ended, with its reply."""
        ...

    def close(self) -> None:
        """Gives up what is in flight and ends every process that was started."""
        ...


@dataclass
class Inline:
    """No Ray: this process does one job at a time. For debugging, and for machines without Ray."""

    splits_of: Callable[[Job], Splits]
    device: str = "auto"
    runner: Runner = run
    name: str = "inline"
    slots: int = 1

    def __post_init__(self) -> None:
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def wait(self) -> list[tuple[Job, Reply]]:
        job = self._waiting.popleft()
        return [(job, attempt(self.runner, job, self.splits_of(job), self.device))]

    def close(self) -> None:
        self._waiting.clear()


def default_workers(threads: int, gpus: float | None = None) -> int:
    """Returns how many trials this machine runs at once: its cores over a trial's threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // threads)
