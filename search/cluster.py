"""Jobs on Ray: long-lived workers, each with torch imported once and the images shared, not copied."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search.engine import Reply, Splits, too_long
from search.local_ray import LocalRay
from search.mishaps import killed_for_memory
from search.places import Places
from search.ray_worker import Worker, memory_of_my_gpu
from search.retries import Attempt
from search.room import Need, gpu_share, room
from search.trial import Job, Runner, run

if TYPE_CHECKING:
    from search.study import RaySpec

LOOK_SECONDS = 1.0
"""How often a job's time and a cluster's room are looked at while nothing ends."""

MAX_ASKED = 1000
"""An autoscaler is asked for room for no more jobs than these."""

LEFT = "its node left the cluster"

MAX_STORED = 4
"""How many sets of images are held in Ray's store for jobs to come."""


class OnRay:
    """Runs jobs on Ray actors.

    Args:
        splits_of: Gives the images that a job needs; each distinct data set is put into Ray's object store once, sent
            once to a node, and read there by all its workers without a copy.
        workers: How many jobs run at once; by default as many as the cluster has room for, now and later.
        threads: Threads of a job, and so its CPUs unless others are asked for.
        asked: What the study asks of a machine. By default a job takes one GPU where the cluster has any; ``"auto"``
            shares a GPU between as many jobs as its memory and its CPUs hold.
        step_bytes: Bytes that a job needs of a GPU at most, for ``"auto"``.
        seconds: After so long a job is ended, with all processes that it started, and has failed.

    Raises:
        ConnectionError: If Ray can't be reached, or a local one can never run such a job.
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
        asked: RaySpec,
        step_bytes: int = 0,
        seconds: float | None = None,
        runner: Runner = run,
    ) -> None:
        ray_process.wait_until_ready()
        import ray

        self._ray, self._process = ray, ray_process
        self._splits_of, self._data_of, self._runner = splits_of, data_of, runner
        self._fixed, self._seconds = workers, seconds
        self._need = self._needed(asked, threads, step_bytes)
        self._device = "cuda" if self._need.gpus else "cpu"
        self._shared = 0 < self._need.gpus < 1
        self._actor_class = ray.remote(Worker)
        self._looked, self._room = time.monotonic(), room(ray.nodes(), self._need)
        if not self._room and ray_process.address is None:
            raise ConnectionError(f"no trial can run here: each needs {self._need}")
        self._places = Places(ray)
        self._idle = deque(self._new_worker() for _ in range(self.slots))
        self._waiting: deque[Attempt] = deque()
        self._flying: dict[Any, _Flight] = {}
        self._stored: dict[str, Any] = {}
        self._gone: set[str] = set()
        self._wanted = 0
        self._killed = killed_for_memory()

    @property
    def slots(self) -> int:
        """How many jobs run at once: as many as there is room for, or as were asked for if that is less.

        More would wait for room that idle workers hold.
        """
        return max(1, min(self._fixed or self._room, self._room))

    def submit(self, job: Job) -> None:
        self._waiting.append(Attempt(job))
        self._start_what_may()

    def want(self, jobs: int) -> None:
        """Asks a cluster's autoscaler, where it has one, for room for so many jobs, or as many as may run at once."""
        wanted = min(jobs, self._fixed or MAX_ASKED, MAX_ASKED)
        if self._process.address is None or wanted == self._wanted:
            return
        from ray.autoscaler.sdk import request_resources

        self._wanted = wanted
        labels = [dict(self._need.labels)] * wanted if self._need.labels else None
        request_resources(bundles=[self._need.resources] * wanted, bundle_label_selectors=labels)

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Reply]]:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            ready, _ = self._ray.wait(list(self._flying), num_returns=1, timeout=self._patience(until))
            if ready and (ended := self._take(ready[0])):
                return ended
            if ended := self._end_late() or self._end_gone():
                return ended
            if self._look_for_room() or (until is not None and time.monotonic() >= until):
                return []

    def give_up(self) -> None:
        self._waiting.clear()
        for reference in list(self._flying):
            self._end(self._flying.pop(reference).worker)

    def close(self) -> None:
        self._waiting.clear()
        self._flying.clear()
        with contextlib.suppress(Exception):  # a cluster that is gone needs no word that nothing is wanted of it
            self.want(0)
        self._process.close()

    def _needed(self, asked: RaySpec, threads: int, step_bytes: int) -> Need:
        resources = self._ray.cluster_resources()
        cpus, there = resources.get("CPU", 1.0), resources.get("GPU", 0.0)
        if asked.gpus == "auto":
            gpus = gpu_share(step_bytes, self._gpu_memory(), int(cpus / there) // threads) if there else 0.0
        else:
            gpus = float(asked.gpus) if asked.gpus is not None else (1.0 if there else 0.0)
        needed = float(asked.cpus or threads)
        if self._process.address is None and self._fixed:
            # A worker may be given fewer CPUs than it has threads where the user asks for more workers than fit here.
            needed = min(needed, max(cpus / self._fixed, 0.01))
        return Need(needed, gpus, float(asked.memory or 0), asked.labels)

    def _patience(self, until: float | None) -> float | None:
        """Returns how long to wait for a reply before looking at the clock, or at the cluster."""
        times = [LOOK_SECONDS] if self._process.address is not None or self._seconds is not None else []
        times += [max(0.0, until - time.monotonic())] if until is not None else []
        return min(times, default=None)

    def _look_for_room(self) -> bool:
        """Looks now and then how much room there is; returns whether there is more than before."""
        if self._process.address is None or time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        before, self._looked = self._room, time.monotonic()
        nodes = self._ray.nodes()
        self._room = room(nodes, self._need)
        self._gone = {node["NodeID"] for node in nodes if not node["Alive"]}
        for worker in [idle for idle in self._idle if self._places.is_on(idle, self._gone)]:
            self._idle.remove(worker)
            self._drop(worker)
        self._start_what_may()
        return self._room > before

    def _end_gone(self) -> list[tuple[Job, Reply]]:
        """Takes back the jobs of nodes that have left, whether or not Ray tells of their workers' deaths."""
        ended: list[tuple[Job, Reply]] = []
        for reference, flight in list(self._flying.items()):
            if self._gone and self._places.has_begun(flight.worker) and self._places.is_on(flight.worker, self._gone):
                del self._flying[reference]
                reply = {"status": "failed", "reason": LEFT, "traceback": "", "log": [], "mishap": "node_lost"}
                ended += self._settle(flight, reply)
        return ended

    def _end_late(self) -> list[tuple[Job, Reply]]:
        """Ends the jobs that are over their time; returns them with their replies."""
        if self._seconds is None:
            return []
        late = [ref for ref, flight in self._flying.items() if time.monotonic() - flight.begun > self._seconds]
        ended: list[tuple[Job, Reply]] = []
        for reference in late:
            flight = self._flying.pop(reference)
            if not self._places.has_begun(flight.worker):  # it waits for room: its time has not begun
                self._flying[reference] = replace(flight, begun=time.monotonic())
                continue
            reply = {**too_long(self._seconds), "log": self._places.last_lines(flight.worker)}
            self._end(flight.worker)
            ended.append((flight.attempt.job, flight.attempt.told(reply)))
        if ended:
            self._start_what_may()
        return ended

    def _take(self, reference: Any) -> list[tuple[Job, Reply]]:
        flight = self._flying.pop(reference)  # whatever comes of an earlier try from now on is no one's
        lost = self._ray.exceptions.RayActorError, self._ray.exceptions.OutOfMemoryError
        try:
            reply = self._ray.get(reference)
        except (*lost, self._ray.exceptions.ObjectLostError) as error:  # the last: its node left with what it replied
            reply = self._lost(error, flight.attempt, flight.worker)
        return self._settle(flight, reply)

    def _settle(self, flight: _Flight, reply: Reply) -> list[tuple[Job, Reply]]:
        """Returns a job with its reply, or nothing if it is tried again."""
        attempt, worker = flight.attempt, flight.worker
        following = attempt.after(reply, shared=self._shared)
        if following is None and reply["status"] == "failed" and "log" not in reply:
            reply["log"] = self._places.last_lines(worker)
        # A worker whose device was lost can do nothing more there, one that ran out of memory may hold some still.
        if reply.get("mishap") is not None:
            self._drop(worker)
        else:
            self._idle.append(worker)
        if following is not None:
            self._waiting.appendleft(following)
        self._start_what_may()
        return [(attempt.job, attempt.told(reply))] if following is None else []

    def _start_what_may(self) -> None:
        """Starts what waits, in order; an attempt that must be alone waits for the others to end, and they for it."""
        while self._waiting and len(self._flying) < self.slots:
            alone = self._waiting[0].alone or any(flight.attempt.alone for flight in self._flying.values())
            if alone and self._flying:
                break
            self._start(self._waiting.popleft(), self._idle.popleft() if self._idle else self._new_worker())

        # After a node has left, what runs may still wait for room, and idle workers would hold it.
        while self._idle and len(self._flying) + len(self._idle) > self.slots:
            self._drop(self._idle.pop())

    def _start(self, attempt: Attempt, worker: Any) -> None:
        data = self._data_of(attempt.job)
        if data not in self._stored:
            if len(self._stored) >= MAX_STORED:  # what runs on it keeps it alive
                del self._stored[next(iter(self._stored))]
            self._stored[data] = self._ray.put(self._splits_of(attempt.job))
        self._flying[worker.do.remote(attempt.job, self._stored[data])] = _Flight(attempt, worker, time.monotonic())

    def _new_worker(self) -> Any:
        need = self._need
        labels = {"label_selector": dict(need.labels)} if need.labels else {}
        options = {"num_cpus": need.cpus, "num_gpus": need.gpus, "memory": need.memory or None, **labels}
        worker = self._actor_class.options(**options).remote(self._runner, self._device)
        self._places.follow(worker)
        return worker

    def _drop(self, worker: Any) -> None:
        """Ends a worker; another is made when there is a job for it."""
        self._ray.kill(worker)
        self._places.forget(worker)

    def _end(self, worker: Any) -> None:
        """Ends a worker that may hear nothing any more, and the processes that it started."""
        self._places.end(worker)
        self._drop(worker)

    def _lost(self, error: Exception, attempt: Attempt, worker: Any) -> Reply:
        """Returns the reply of a worker that died: for want of memory if Ray, or this host's kernel, says so."""
        before, self._killed = self._killed, killed_for_memory()
        kernel = before is not None and self._killed is not None and self._killed > before
        memory = kernel or isinstance(error, self._ray.exceptions.OutOfMemoryError)
        sentence = str(error).strip().split("\n")[0][:300]
        gone = not memory and not self._places.is_there(worker)
        cause = "the host ran out of memory" if memory else f"the worker died {attempt.lost + 1} times"
        return {
            "status": "failed",
            "reason": f"{LEFT}: {sentence}" if gone else f"{cause}: {sentence}",
            "traceback": str(error),
            "log": [] if gone else self._places.last_lines(worker),
            "mishap": "out_of_memory" if memory else "node_lost" if gone else "died",
        }

    def _gpu_memory(self) -> int:
        """Returns the bytes of a GPU of the cluster."""
        asked = self._ray.remote(num_gpus=0.01, num_cpus=0)(memory_of_my_gpu).remote()
        return int(self._ray.get(asked))


@dataclass(frozen=True)
class _Flight:
    """A try that runs, where, and since when."""

    attempt: Attempt
    worker: Any
    begun: float
