"""Running jobs: in this process, or on Ray's workers; the caller can't tell which by the numbers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

from search.reaper import end_with_children
from search.retries import Attempt
from search.trial import Job, Runner, attempt, run

Reply = dict[str, Any]
Splits = Any


class Executor(Protocol):
    """Takes jobs and gives back replies, in whatever order they come."""

    name: str

    @property
    def slots(self) -> int:
        """How many jobs there is room for now; on a cluster it grows and shrinks."""
        ...

    def submit(self, job: Job) -> None:
        """Starts a job; the caller keeps no more than ``slots`` in flight."""
        ...

    def want(self, jobs: int) -> None:
        """Says how many jobs are still to come, for a cluster that can grow."""
        ...

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Reply]]:
        """Blocks until a job ends, the room changes, or so many seconds are over.

        Returns:
            Every job that has ended, with its reply; none if nothing did.
        """
        ...

    def give_up(self) -> None:
        """Ends what is in flight; there will be no reply."""
        ...

    def close(self) -> None:
        """Gives up what is in flight and ends every process that was started."""
        ...


@dataclass
class Inline:
    """No Ray: this process does one job at a time. For debugging, and for machines without Ray.

    Attributes:
        seconds: After so long a job is ended and has failed; jobs then have processes of their own, since nothing
            can end a part of this one.
    """

    splits_of: Callable[[Job], Splits]
    device: str = "auto"
    runner: Runner = run
    seconds: float | None = None
    name: str = "inline"
    slots: int = 1

    def __post_init__(self) -> None:
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def want(self, jobs: int) -> None:
        """There is one slot, however many are wanted."""

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Reply]]:
        """Does one job to its end, whatever time is left."""
        job = self._waiting.popleft()
        tried, splits = Attempt(job), self.splits_of(job)
        if self.seconds is None:
            reply = attempt(self.runner, job, splits, self.device)
        else:
            reply = in_new_process(self.runner, job, splits, self.device, self.seconds)
        while (following := tried.after(reply, shared=False)) is not None:
            tried = following
            reply = in_new_process(self.runner, tried.job, splits, self.device, self.seconds)
        return [(job, tried.told(reply))]

    def give_up(self) -> None:
        self._waiting.clear()

    def close(self) -> None:
        self._waiting.clear()


def in_new_process(runner: Runner, job: Job, splits: Splits, device: str, seconds: float | None = None) -> Reply:
    """Does a job in a process of its own, which ends with it; a process that dies is a failed reply too.

    Args:
        seconds: After so long it is ended, and so is every process that it started.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send, args=(theirs, runner, job, splits, device), daemon=seconds is None)
    try:
        process.start()
        theirs.close()
        reply: Reply = ours.recv() if ours.poll(seconds) else too_long(seconds)
    except EOFError:
        process.join()
        reason = f"the process died with exit code {process.exitcode}"
        killed = process.exitcode == -signal.SIGKILL  # what a kernel does that needs memory
        reply = {"status": "failed", "reason": reason, "mishap": "out_of_memory" if killed else "died"}
    finally:
        if process.pid is not None:
            end_with_children(process.pid)
        process.join()
    return reply


def too_long(seconds: float | None) -> Reply:
    """Returns the reply of a job that was ended at its time limit."""
    reason = f"ended at its time limit of {(seconds or 0) / 60:g} minutes"
    return {"status": "failed", "reason": reason, "train_seconds": seconds, "mishap": "too_long"}


def _send(pipe: Connection, runner: Runner, job: Job, splits: Splits, device: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the driver, which ends this process
    threading.Thread(target=_end_with_driver, daemon=True).start()
    pipe.send(attempt(runner, job, splits, device))


def _end_with_driver() -> None:
    """Waits for the end of the process that started this one, however that ends, and ends what is left of the job."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    driver.join()
    end_with_children(os.getpid())


def default_workers(threads: int, gpus: float | None = None) -> int:
    """Returns how many trials this machine runs at once: its cores over a trial's threads."""
    return max(1, cores() // threads)


def overcrowding(workers: int, threads: int) -> str | None:
    """Returns what to say where more threads run than there are cores to run them, or None."""
    if workers * threads <= cores():
        return None
    return (
        f"{workers} trials at a time of {threads} threads each share {cores()} cores: they get in each other's way; "
        f"--workers {default_workers(threads)} or fewer train.threads suit this machine"
    )


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
