"""Trials on their way: given to the executor when there is room, and recorded as each begins, pauses and ends."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from search.arms import Trial
from search.doubts import uses_batch_norm
from search.durations import Durations
from search.engine import Executor
from search.explore import Queue
from search.interrupts import Interrupts
from search.jobs import job_of, weights_of
from search.leaders import Leaders
from search.outputs import latest
from search.pauses import Pauses
from search.plan import Plan
from search.progress import Talk
from search.record import Record
from search.run_directory import write_atomically
from search.time_limit import TimeLimit
from search.tracking import Tracking
from search.trial import Job

FINAL = ("train_accuracy", "train_loss", "val_accuracy", "val_loss")
"""Of a trial's last epoch, what its row has."""

Reply = dict[str, Any]


class TooManyFailures(Exception):
    """The session ended early because more trials failed than the user allows (exit code 3)."""


class Dispatch:
    """Has trials done, one phase after the other.

    Args:
        executor: Gives the executor when there is a job for it.
        max_failures: ``TooManyFailures`` is raised when more trials than this have failed in this session.
        command: What goes on with this run, for the command that runs one trial alone.
        ended: Called whenever a trial has ended, and must return at once.
        elapsed: The seconds since the session began.

    Attributes:
        finished: The last entry of every trial that ended, by the trial's name.
        leaders: Which arm leads each phase.
    """

    def __init__(
        self,
        plan: Plan,
        directory: Path,
        record: Record,
        executor: Callable[[], Executor],
        talk: Talk,
        interrupts: Interrupts,
        *,
        tracking: Tracking,
        time_limit: TimeLimit,
        max_failures: int | None,
        command: str,
        ended: Callable[[], None],
        elapsed: Callable[[], float],
    ) -> None:
        self._plan, self._directory, self._record, self._talk = plan, directory, record, talk
        self._executor, self._interrupts, self._tracking = executor, interrupts, tracking
        self._time_limit, self._max_failures, self._command = time_limit, max_failures, command
        self._ended, self._elapsed = ended, elapsed
        self._failures, self._durations = 0, Durations()
        self.finished, self.leaders = latest(record.entries, "finished"), Leaders()
        self.pauses = Pauses(directory, record.entries, talk.warn)
        for entry in self.finished.values():
            self._take_note(entry)

    def run(self, phase: str, queue: Queue, trial: Trial | None = None, held_back: float = 0.0) -> None:
        """Runs a queue to its end, or until the study's time is up.

        Args:
            trial: What the queue has given already.
            held_back: For how many later trials time is to be left.
        """
        executor, left = self._executor(), queue.total - queue.already
        self._talk.phase(phase, queue.total, queue.already)
        flying: dict[str, Trial] = {}
        try:
            while True:
                late = self._time_limit.up(self._durations.seconds_for(held_back, executor.slots))
                # Asked for only when there is room, so that a search proposes in the light of all that has ended.
                while not late and len(flying) < executor.slots and (trial := trial or queue.next()) is not None:
                    flying[trial.name] = trial
                    self._start(executor, trial, queue)
                    trial = None
                if not flying:
                    return
                executor.want(left)
                for job, reply in self._wait(executor, self._time_limit.left):
                    ended, left = flying.pop(job.name), left - 1
                    if reply["status"] == "paused":
                        left += self._pause(ended, reply, queue)
                    else:
                        queue.finished(ended, self.finish(ended, reply, queue))
                if flying and self._time_limit.up(0.0):
                    executor.give_up()
                    return
        finally:
            self._talk.end_phase()

    def answers(self, trials: list[Trial], task: str) -> Iterator[tuple[Trial, Reply]]:
        """Has a task done with the weights of trained trials; yields each with its reply, as they come."""
        if not trials:
            return
        executor = self._executor()
        waiting, flying = list(trials), dict[str, Trial]()
        while waiting or flying:
            while waiting and len(flying) < executor.slots:
                trial = waiting.pop(0)
                flying[trial.name] = trial
                weights = weights_of(self._directory, trial.name).read_bytes()
                executor.submit(replace(job_of(self._plan, trial, task), weights=weights))
            for job, reply in self._wait(executor, None):
                yield flying.pop(job.name), reply

    def finish(self, trial: Trial, reply: Reply, queue: Queue) -> dict[str, Any]:
        """Records the end of a trial; returns its entry. Raises ``TooManyFailures``."""
        weights, _ = reply.pop("weights", None), reply.pop("checkpoint", None)
        if weights is not None:
            path = weights_of(self._directory, trial.name)
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, weights)
            reply["weights_sha256"] = hashlib.sha256(weights).hexdigest()
        if reply["status"] == "failed" and self._command:
            reply["alone"] = f"{self._command} --only {trial.name} --inline"
        told = finite({**_who(trial), **_final(reply), **reply})
        entry = self._record.append("finished", elapsed=self._elapsed(), **told)
        self._take_note(entry)
        self._durations.end(trial.name)
        self._tracking.finished(entry)
        self.finished[trial.name] = entry
        self.pauses.ended(entry)
        if entry.get("halvings"):
            self._tell_of_smaller(entry)
        self._failures += entry["status"] == "failed"
        self._talk.finished(self._plan.label(trial.arm), entry, queue.total, self._best(trial.phase))
        self._ended()
        if self._max_failures is not None and self._failures > self._max_failures:
            raise TooManyFailures(f"{self._failures} trials failed; the last: {entry['reason']}")
        return entry

    def stop_what_waits(self, queue: Queue) -> None:
        """Ends, as stopped, the trials that would have gone on if the study's time hadn't been up."""
        for entry in self.pauses.waiting():
            kept = {name: value for name, value in entry.items() if name not in ("event", "elapsed")}
            told = {"status": "stopped", "reason": "the study's time was up before it could go on"}
            self.finish(Trial(entry["arm"], entry["seed"], entry["phase"]), {**kept, **told}, queue)

    def _start(self, executor: Executor, trial: Trial, queue: Queue) -> None:
        if self.finished.get(trial.name, {}).get("status") == "stopped":
            self._record.append("again", sync=False, trial=trial.name, why="it goes on")
            self._talk.reopened()
        self._record.append("started", sync=False, **_who(trial), elapsed=round(self._elapsed(), 3))
        self._durations.begin(trial.name)
        self._talk.started()
        rest = self.pauses.rest(trial, queue.until(trial))
        job = replace(job_of(self._plan, trial, "train"), keep_weights=trial.phase == "confirm", **rest)
        self._tracking.started({**_who(trial), "configuration": job.configuration})
        executor.submit(job)

    def _pause(self, trial: Trial, reply: Reply, queue: Queue) -> bool:
        """Keeps what a trial goes on from, and has the queue say whether it does; ends it as stopped if not."""
        kept = self.pauses.keep(trial, reply.pop("checkpoint"))
        reply = {**reply, **kept, "weights": None}
        final = _final(reply)
        why = queue.paused(trial, {**final, **reply})
        if why:
            self.finish(trial, {**reply, "status": "stopped", "reason": why}, queue)
        else:
            del reply["weights"]
            told = finite({**_who(trial), **final, **reply})
            self.pauses.reached(self._record.append("rung", elapsed=self._elapsed(), **told))
            self._talk.paused()
        return not why

    def _wait(self, executor: Executor, seconds: float | None) -> list[tuple[Job, Reply]]:
        with self._interrupts.window():
            return executor.wait(seconds)

    def _take_note(self, entry: dict[str, Any]) -> None:
        self.leaders.add(entry)
        self._durations.trained(entry.get("train_seconds"))

    def _best(self, phase: str) -> str:
        leader = self.leaders.best(phase)
        return f"{leader[0]:.1%} {self._plan.label(leader[1])}" if leader and self._plan.find(leader[1]) else ""

    def _tell_of_smaller(self, entry: dict[str, Any]) -> None:
        """Warns, for the report too, of a trial that ran with fewer images at a time than its recipe says."""
        arm = self._plan.find(entry["arm"])
        assert arm is not None
        text = f"{entry['trial']} {entry['reason']}"
        if uses_batch_norm(arm.configuration.network):
            text += "; its batch norms saw smaller batches than those of other trials, which is a difference of its own"
        self._talk.warn(text)
        self._record.append("warning", text=text)


def finite(value: Any) -> Any:
    """Returns plain data with None in place of NaN and infinities, which JSON has no words for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def _who(trial: Trial) -> dict[str, Any]:
    return {"trial": trial.name, "arm": trial.arm, "seed": trial.seed, "phase": trial.phase}


def _final(reply: Reply) -> dict[str, Any]:
    """Returns what the row of a trial has of its last epoch."""
    last = reply["epochs"][-1] if reply.get("epochs") else {}
    return {name: last[name] for name in FINAL if name in last}
