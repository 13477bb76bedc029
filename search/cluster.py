"""Ray: long-lived workers, each with torch imported once and the images shared, not copied.

A local Ray is private: it never joins another's cluster unless its address is named, a stranger without the session's
token is refused, and there is no dashboard.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from search import reaper
from search.engine import Reply, Splits, default_workers
from search.mishaps import killed_for_memory
from search.retries import Attempt
from search.trial import Job, Runner, attempt, run

CONTEXT_BYTES = 2**30
"""What a process takes of a GPU before it does anything: CUDA's context and the libraries' handles."""

MAX_STORED = 4
"""How many sets of images are held in Ray's store for jobs to come."""


class LocalRay:
    """Starts Ray beside other work, and holds it until closed.

    Ray's processes die with the *thread* that started them, so that thread lives as long as they are needed.
    """

    def __init__(self, address: str | None, slots: int | None = None) -> None:
        self._ready, self._finished = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self._address = address
        self._thread = threading.Thread(target=self._hold, args=(address, slots), daemon=True)
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Blocks until Ray runs. Raises ``ConnectionError`` if it can't be started or reached."""
        self._ready.wait()
        if self._error is not None:
            where = f"at {self._address}" if self._address else "here"
            raise ConnectionError(f"no Ray {where}: {self._error}") from self._error

    def close(self) -> None:
        """Ends Ray, or leaves the cluster that was joined."""
        self._finished.set()
        if self._ready.is_set():  # a Ray that is still starting is left to the reaper
            self._thread.join(timeout=10)
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()  # it waits for that

    def _hold(self, address: str | None, slots: int | None) -> None:
        try:
            self._connect(address, slots)
        except Exception as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._finished.wait()
        sys.modules["ray"].shutdown()

    def _connect(self, address: str | None, slots: int | None) -> None:
        if address is not None:
            _check_reachable(address)
        else:  # a token of our own; a named cluster has its own rules
            token = secrets.token_hex(32)
            self._reaper = _start_reaper(token)
            os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", token
        # Ray otherwise empties CUDA_VISIBLE_DEVICES for workers without GPUs, and warns that it will stop doing so.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray  # only now: it reads the token's variables when it is imported

        ray.init(
            address=address or "local",
            num_cpus=None if address else max(slots or 1, default_workers(1)),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level="error",
        )


def _check_reachable(address: str) -> None:
    """Tries a named address for some seconds; Ray itself tries for minutes. Raises ``OSError``."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def _start_reaper(token: str) -> subprocess.Popen[bytes]:
    """Starts the process that ends Ray's if this one dies; in a session of its own, out of reach of Ctrl-C."""
    command = [sys.executable, "-I", "-S", str(Path(reaper.__file__))]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert started.stdin is not None
    number, start = reaper.myself()
    started.stdin.write(f"{token} {number} {start}\n".encode())
    started.stdin.flush()
    return started


class OnRay:
    """Runs jobs on Ray actors.

    Args:
        splits_of: Gives the images that a job needs; each distinct data set is put into Ray's object store once and
            read there by all workers of a machine without a copy.
        workers: How many jobs run at once; by default as many as the cluster has room for.
        threads: Threads, and so CPUs, of a job.
        gpus: GPUs of a job, a fraction to share one; by default one GPU a job where the cluster has any. ``"auto"``
            shares a GPU between as many jobs as its memory and its CPUs hold.
        memory: Bytes that a job needs of a GPU at most, for ``"auto"``.
    """

    name = "ray"

    def __init__(
        self,
        ray_process: LocalRay,
        splits_of: Callable[[Job], Splits],
        *,
        data_of: Callable[[Job], str],
        workers: int | None,
        threads: int,
        gpus: float | Literal["auto"] | None = None,
        memory: int = 0,
        runner: Runner = run,
    ) -> None:
        ray_process.wait_until_ready()
        import ray

        self._ray, self._process = ray, ray_process
        self._splits_of, self._data_of, self._runner = splits_of, data_of, runner
        resources = ray.cluster_resources()
        available = resources.get("GPU", 0.0)
        if gpus == "auto":
            room = int(resources.get("CPU", 1.0) / available) // threads if available else 0
            share = gpu_share(memory, self._gpu_memory(), room) if available else 0.0
        else:
            share = gpus if gpus is not None else (1.0 if available else 0.0)
        room = int(available / share) if share else int(resources.get("CPU", 1.0)) // threads
        self.slots = max(1, workers or room)
        # Under Ray a worker may be given fewer CPUs than it has threads when the user asks for more workers than fit.
        self._options = {"num_cpus": min(threads, max(resources.get("CPU", 1.0) / self.slots, 0.01)), "num_gpus": share}
        self._device = "cuda" if share else "cpu"
        self._shared = 0 < share < 1
        self._actor_class = ray.remote(_Worker)
        self._idle = deque(self._new_worker() for _ in range(self.slots))
        self._waiting: deque[Attempt] = deque()
        self._flying: dict[Any, tuple[Attempt, Any]] = {}
        self._stored: dict[str, Any] = {}
        self._killed = killed_for_memory()

    def submit(self, job: Job) -> None:
        self._waiting.append(Attempt(job))
        self._start_what_may()

    def wait(self) -> list[tuple[Job, Reply]]:
        ended: list[tuple[Job, Reply]] = []
        while not ended:
            (reference,), _ = self._ray.wait(list(self._flying), num_returns=1)
            ended = self._take(reference)
        return ended

    def close(self) -> None:
        self._waiting.clear()
        self._flying.clear()
        self._process.close()

    def _take(self, reference: Any) -> list[tuple[Job, Reply]]:
        attempt, worker = self._flying.pop(reference)
        try:
            reply = self._ray.get(reference)
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.OutOfMemoryError) as error:
            reply, worker = self._lost(error, attempt), self._new_worker()
        if reply.get("mishap") == "device_lost":
            self._ray.kill(worker)  # it can do nothing more there: never used again
            worker = self._new_worker()
        following = attempt.after(reply, shared=self._shared)
        if following is not None:
            if reply.get("mishap") == "out_of_memory":
                self._ray.kill(worker)  # so that nothing that it held is in the way of the next try
                worker = self._new_worker()
            self._waiting.appendleft(following)
        self._idle.append(worker)
        self._start_what_may()
        return [(attempt.job, attempt.told(reply))] if following is None else []

    def _start_what_may(self) -> None:
        """Starts what waits, in order; an attempt that must be alone waits for the others to end, and they for it."""
        while self._waiting and self._idle:
            alone = self._waiting[0].alone or any(attempt.alone for attempt, _ in self._flying.values())
            if alone and self._flying:
                return
            self._start(self._waiting.popleft(), self._idle.popleft())

    def _start(self, attempt: Attempt, worker: Any) -> None:
        data = self._data_of(attempt.job)
        if data not in self._stored:
            if len(self._stored) >= MAX_STORED:  # what runs on it keeps it alive
                del self._stored[next(iter(self._stored))]
            self._stored[data] = self._ray.put(self._splits_of(attempt.job))
        self._flying[worker.do.remote(attempt.job, self._stored[data])] = (attempt, worker)

    def _new_worker(self) -> Any:
        return self._actor_class.options(**self._options).remote(self._runner, self._device)

    def _lost(self, error: Exception, attempt: Attempt) -> Reply:
        """Returns the reply of a worker that died: killed for memory if Ray, or this host's kernel, says so."""
        before, self._killed = self._killed, killed_for_memory()
        kernel = before is not None and self._killed is not None and self._killed > before
        memory = kernel or isinstance(error, self._ray.exceptions.OutOfMemoryError)
        sentence = str(error).strip().split("\n")[0][:300]
        cause = "the host ran out of memory" if memory else f"the worker died {attempt.lost + 1} times"
        return {
            "status": "failed",
            "reason": f"{cause}: {sentence}",
            "traceback": str(error),
            "mishap": "out_of_memory" if memory else "died",
        }

    def _gpu_memory(self) -> int:
        """Returns the bytes of a GPU of the cluster."""
        asked = self._ray.remote(num_gpus=0.01, num_cpus=0)(_memory_of_my_gpu).remote()
        return int(self._ray.get(asked))


def gpu_share(needed: int, memory: int, most: int) -> float:
    """Returns the fraction of a GPU that a trial gets: as many trials as its memory holds, but no more than ``most``.

    Args:
        needed: Bytes of a training step, by arithmetic; kernels' workspaces come on top, about half as much again.
        memory: The GPU's.
        most: How many the CPUs beside a GPU can feed.
    """
    each = CONTEXT_BYTES + 1.5 * needed
    return 1 / max(1, min(most, int(memory / each)))


class _Worker:
    """A Ray actor: does one job after another."""

    def __init__(self, runner: Runner, device: str) -> None:
        self._runner, self._device = runner, device

    def do(self, job: Job, splits: Splits) -> Reply:
        return attempt(self._runner, job, splits, self._device)


def _memory_of_my_gpu() -> int:
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory)
