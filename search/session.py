"""One session of a study: explore, confirm, choose, open the test split; or go on where an earlier one stopped."""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from search.arms import Trial
from search.data.images import Splits
from search.data.prepare import prepare
from search.data.spec import DATASETS
from search.designs.search import Search
from search.diagnosis import lesion_trials
from search.doubts import uses_batch_norm
from search.engine import Executor
from search.explore import Listed, Proposed, Queue
from search.fidelity import Fidelity
from search.interrupts import Interrupts
from search.known import recall
from search.outputs import latest, sampled, write_outputs
from search.pauses import Pauses
from search.plan import Plan
from search.planned import confirm_seeds, explored_trials, planned_trials
from search.progress import Talk
from search.record import Record, write_atomically
from search.select import confirmed_arms, finalists, raced_scores, scores, winner
from search.time_limit import TimeLimit
from search.tracking import Tracking
from search.trial import Job
from search.tune import Tuning
from search.winner import sha256_of, write_winner
from search.yardstick import random_trials, spent


class TooManyFailures(Exception):
    """The session ended early because more trials failed than the user allows (exit code 3)."""


class UnknownTrial(ValueError):
    """No trial of the plan has this name."""


SLACK = 1.2
"""By so much trials to come may be slower than those that ended, before the study's time is too short for them."""

FINAL = ("train_accuracy", "train_loss", "val_accuracy", "val_loss")
"""Of a trial's last epoch, what its row has."""

KEPT_CUTS = 4
"""How many cuts of the images for single seeds are held in memory."""


@dataclass
class Shelf:
    """Prepared images by their data spec and their cut: each set is loaded once in a session, unless there are many."""

    sets: dict[tuple[str, int | None], Splits] = field(default_factory=dict)

    def splits(self, data: Mapping[str, Any], cut: int | None = None) -> Splits:
        """Returns the splits of a data spec as plain data, with a validation split cut anew. Raises ``DataError``."""
        spec = DATASETS.parse(data)
        key = spec.identity, cut
        if key not in self.sets:
            self.sets[key] = prepare(spec, cut)
            cuts = [other for other in self.sets if other[1] is not None]
            for old in cuts[:-KEPT_CUTS]:  # trials go seed by seed: the cuts of seeds gone by are not wanted again
                del self.sets[old]
        return self.sets[key]


class Session:
    """Runs what a plan still lacks.

    Args:
        executor: Gives the executor when there is a job for it; not called when nothing is left to do.
        max_failures: The session ends when more trials than this have failed in it.
        tracking: Is told of every trial.
        time_limit: When the study is to end.
        command: What goes on with this run, for the command that runs one trial alone.
        ended: Called whenever a trial has ended, and must return at once.
    """

    def __init__(
        self,
        plan: Plan,
        directory: Path,
        record: Record,
        executor: Callable[[], Executor],
        talk: Talk,
        shelf: Shelf,
        interrupts: Interrupts,
        *,
        max_failures: int | None = None,
        tracking: Tracking | None = None,
        time_limit: TimeLimit | None = None,
        command: str = "",
        ended: Callable[[], None] | None = None,
    ) -> None:
        self.plan, self.directory, self.record, self.talk = plan, directory, record, talk
        self._executor, self._max_failures, self.shelf = executor, max_failures, shelf
        self._interrupts = interrupts
        self._tracking, self._ended = tracking or Tracking(talk.warn), ended
        self._time_limit, self._command = time_limit or TimeLimit(None), command
        self._failures, self._started = 0, time.monotonic()
        self._trained, self._took = (0.0, 0), (0.0, 0)
        self._begun: dict[str, float] = {}
        self._cut: list[int] | None = None
        self._sums: dict[tuple[str, str], tuple[float, int]] = {}
        self._leaders: dict[str, tuple[float, str]] = {}
        self.finished = latest(record.entries, "finished")
        self._pauses = Pauses(directory, record.entries, talk.warn)
        for entry in self.finished.values():
            self._score(entry)
        if plan.tuning is not None:
            plan.tuning.settle(self.finished)

    def run(self) -> None:
        """Runs every phase to its end. Raises ``TooManyFailures``."""
        if self.plan.tuning is not None:
            self._tune(self.plan.tuning)
        if self.plan.study.spec.design.kind != "train":
            queue = self._explore_queue()
            self._say_sampler()
            self._phase("explore", queue)
            self._stop_what_waits(queue)
        if getattr(self.plan.study.spec.design, "compare", None) == "random":
            self._phase("random", Listed(self._random_trials(), set(self.finished)))
        if self.plan.fidelity is not None:
            self._check_short_runs(self.plan.fidelity)
        chosen = self._finalists()
        confirming = self._confirm_trials(chosen)
        self._phase("confirm", Listed(confirming, set(self.finished) - self._lost(confirming)))
        self._tell_of_time()
        if self._time_limit.was_up:
            self._cut = self._seeds_of_all({trial.arm for trial in confirming}, self.confirm_seeds)
        self._open_test(chosen)
        self._lesion(chosen)
        if not self._time_limit.was_up:
            self._pauses.clear()
        self.write()

    def run_only(self, name: str) -> None:
        """Runs one trial of the plan, again if it is finished. Raises ``UnknownTrial``."""
        self.restore()
        trials = {trial.name: trial for trial in [*self.plan.explore_trials(), *self._confirm_trials(self._chosen())]}
        if self.plan.tuning is not None:
            trials |= {trial.name: trial for trial in self.plan.tuning.trials()}
        if self.plan.fidelity is not None:
            sample = sampled(self.plan, self.record.entries)
            trials |= {trial.name: trial for trial in self.plan.fidelity.trials(sample)}
        if self._planned_random():
            trials |= {trial.name: trial for trial in self._random_trials()}
        if name not in trials:
            raise UnknownTrial(
                f"there is no trial '{name}' in this plan; its trials are {', '.join(list(trials)[:5])}, ..."
            )
        if name in self.finished:
            self.record.append("again", sync=False, trial=name)
        self._run(trials[name].phase, Listed([trials[name]], set()), None)
        self.write()

    def write(self) -> None:
        """Writes the tables from the record as it stands."""
        write_outputs(self.directory, self.plan, self.record.entries)

    @property
    def failed(self) -> int:
        """How many of the plan's trials have failed, in this session or before."""
        return sum(entry["status"] == "failed" for entry in self.finished.values() if self.plan.find(entry["arm"]))

    def planned(self) -> dict[str, int]:
        """Returns how many trials each phase has, as far as is known now."""
        planned = planned_trials(self.plan)
        if self.plan.adaptive and (explored := explored_trials(self.plan, self.record.entries)) is not None:
            planned["explore"] = explored
        if random_ones := self._planned_random():
            planned["random"] = random_ones
        if self.last("finalists"):
            planned["confirm"] = len(self._confirm_trials(self._chosen()))
        return planned

    # Phases

    def _explore_queue(self) -> Queue:
        if self.plan.adaptive:
            recall(self.plan, self.record)
            return Proposed(self.plan, self.record, self.finished)
        return Listed(self.plan.explore_trials(), set(self.finished))

    def _say_sampler(self) -> None:
        """Says which sampler was chosen, and why, where the study leaves that open."""
        design = self.plan.study.spec.design
        if isinstance(design, Search):
            sampler, why = design.sampler.choice(self.plan, design)
            if why:
                self.talk.note(f"sampler: {sampler.kind}; {why}")

    def _random_trials(self) -> list[Trial]:
        """Returns the trials of the random search that has what the search has spent."""
        found = random_trials(self.plan, spent(self.plan, self.finished))
        self.plan.stopwatch.write_to(self.record)
        return found

    def restore(self) -> None:
        """Has the plan know the arms of a search that the record holds, to write of them or to run one again."""
        if not self.plan.adaptive:
            return
        Proposed(self.plan, self.record, self.finished)
        if self._planned_random():
            self._random_trials()

    def _planned_random(self) -> int:
        """Returns how many trials the random search has, once it is planned."""
        planned = [entry for entry in self.record.entries if entry["event"] == "planned" and entry["phase"] == "random"]
        return len(planned[-1]["arms"]) if planned else 0

    def _tune(self, tuning: Tuning) -> None:
        """Lets every arm look for its own recipe; the arms that come of it join the explore phase."""
        self._phase("tune", Listed(tuning.trials(), set(self.finished)))
        tuning.settle(self.finished)
        for note in tuning.notes(self.finished):
            self.warn(note)

    def _check_short_runs(self, fidelity: Fidelity) -> None:
        """Trains a sample of arms short and full; records the sample unless it is the recorded one."""
        before = sampled(self.plan, self.record.entries)
        sample = fidelity.sample(before)
        if sample != before:
            self.record.append("fidelity", arms=sample)
        for note in fidelity.notes():
            self.warn(note)
        self._phase("fidelity", Listed(fidelity.trials(sample), set(self.finished)))

    def _phase(self, name: str, queue: Queue) -> None:
        """Runs a phase to its end, or until its time is up; the record keeps what is planned before anything runs."""
        trial = None if self._time_limit.up(0.0) else queue.next()
        if trial is not None:
            self._executor()  # whose start records the session
        planned = {"phase": name, **queue.planned}
        before = (entry for entry in reversed(self.record.entries) if entry["event"] == "planned")
        last = {**next((entry for entry in before if entry["phase"] == name), {})}
        last.pop("labels", None)  # what was tried may be an arm with its own recipe by now, and is called so
        if {"event": "planned", **planned} != last:
            labels = {arm: self.plan.label(arm) for arm in planned["arms"]}
            self.record.append("planned", sync=False, **planned, labels=labels)
        if trial is not None:
            self._run(name, queue, trial)

    def _run(self, name: str, queue: Queue, trial: Trial | None) -> None:
        executor, left = self._executor(), queue.total - queue.already
        self.talk.phase(name, queue.total, queue.already)
        held_back = 0 if name == "confirm" else self._rounds_to_confirm()
        flying: dict[str, Trial] = {}
        try:
            while True:
                late = self._time_limit.up(self._seconds_for(held_back, executor.slots))
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
                        queue.finished(ended, self._finish(ended, reply, queue))
                if flying and self._time_limit.up(0.0):
                    executor.give_up()
                    return
        finally:
            self.talk.end_phase()

    def _rounds_to_confirm(self) -> float:
        """Returns the trials of the confirm phase, in units of those before it; 0 if no one asks for time."""
        if not self._time_limit.set:
            return 0.0
        epochs = self.plan.study.spec.train.epochs
        return self.planned().get("confirm", 0) * (self.plan.study.spec.confirm.epochs or epochs) / epochs

    def _seconds_for(self, trials: float, slots: int) -> float:
        """Returns what so many trials will take by the mean of those that ended; a round more than they need."""
        total, count = self._took if self._took[1] else self._trained
        return SLACK * (math.ceil(trials / slots) + 1) * total / count if trials and count else 0.0

    def _tell_of_time(self) -> None:
        """Says, and records, what was not run because the study's time was up."""
        if not self._time_limit.was_up:
            return
        left = {phase: count for phase, count in self._left().items() if count}
        if left and self.last("time_up").get("left") != left:
            self.record.append("time_up", left=left, hours=self.plan.study.spec.time.hours)
            told = ", ".join(f"{count:,} {phase}" for phase, count in left.items())
            self.warn(f"the study's time was up: {told} trials were not run; more time.hours goes on from here")

    def _left(self) -> dict[str, int]:
        """Returns how many planned trials of each phase have not ended."""
        done = Counter(entry["phase"] for entry in self.finished.values() if self.plan.find(entry["arm"]))
        return {phase: max(0, count - done[phase]) for phase, count in self.planned().items()}

    def _start(self, executor: Executor, trial: Trial, queue: Queue) -> None:
        who = {"trial": trial.name, "arm": trial.arm, "seed": trial.seed, "phase": trial.phase}
        if self.finished.get(trial.name, {}).get("status") == "stopped":
            self.record.append("again", sync=False, trial=trial.name, why="it goes on")
            self.talk.reopened()
        self.record.append("started", sync=False, **who, elapsed=round(self.elapsed(), 3))
        self._begun[trial.name] = time.monotonic()
        self.talk.started()
        rest = self._pauses.rest(trial, queue.until(trial))
        job = self._job(trial, "train", keep_weights=trial.phase == "confirm", **rest)
        self._tracking.started({**who, "configuration": job.configuration})
        executor.submit(job)

    def _pause(self, trial: Trial, reply: dict[str, Any], queue: Queue) -> bool:
        """Keeps what a trial goes on from, and has the queue say whether it does; ends it as stopped if not."""
        kept = self._pauses.keep(trial, reply.pop("checkpoint"))
        reply = {**reply, **kept, "weights": None}
        final = {name: reply["epochs"][-1][name] for name in FINAL}
        why = queue.paused(trial, {**final, **reply})
        if why:
            self._finish(trial, {**reply, "status": "stopped", "reason": why}, queue)
        else:
            del reply["weights"]
            who = {"trial": trial.name, "arm": trial.arm, "seed": trial.seed, "phase": trial.phase}
            self._pauses.reached(
                self.record.append("rung", elapsed=self.elapsed(), **_finite({**who, **final, **reply}))
            )
            self.talk.paused()
        return not why

    def _finish(self, trial: Trial, reply: dict[str, Any], queue: Queue) -> dict[str, Any]:
        weights, _ = reply.pop("weights", None), reply.pop("checkpoint", None)
        if weights is not None:
            self.weights(trial.name).parent.mkdir(exist_ok=True)
            write_atomically(self.weights(trial.name), weights)
            reply["weights_sha256"] = hashlib.sha256(weights).hexdigest()
        if reply["status"] == "failed" and self._command:
            reply["alone"] = f"{self._command} --only {trial.name} --inline"
        last = reply["epochs"][-1] if reply.get("epochs") else {}
        final = {key: last[key] for key in FINAL if key in last}
        who = {"trial": trial.name, "arm": trial.arm, "seed": trial.seed, "phase": trial.phase}
        entry = self.record.append("finished", elapsed=self.elapsed(), **_finite({**who, **final, **reply}))
        self._score(entry)
        ended = time.monotonic()
        self._took = self._took[0] + ended - self._begun.pop(trial.name, ended), self._took[1] + 1
        self._tracking.finished(entry)
        self.finished[trial.name] = entry
        self._pauses.ended(entry)
        if entry.get("halvings"):
            self._tell_of_smaller(entry)
        self._failures += entry["status"] == "failed"
        self.talk.finished(self.plan.label(trial.arm), entry, queue.total, self._best(trial.phase))
        if self._ended is not None:
            self._ended()
        if self._max_failures is not None and self._failures > self._max_failures:
            raise TooManyFailures(f"{self._failures} trials failed; the last: {entry['reason']}")
        return entry

    def _stop_what_waits(self, queue: Queue) -> None:
        """Ends, as stopped, the trials that would have gone on if the study's time hadn't been up."""
        for entry in self._pauses.waiting():
            kept = {name: value for name, value in entry.items() if name not in ("event", "elapsed")}
            told = {"status": "stopped", "reason": "the study's time was up before it could go on"}
            self._finish(Trial(entry["arm"], entry["seed"], entry["phase"]), {**kept, **told}, queue)

    def _tell_of_smaller(self, entry: dict[str, Any]) -> None:
        """Warns, for the report too, of a trial that ran with fewer images at a time than its recipe says."""
        arm = self.plan.find(entry["arm"])
        assert arm is not None
        text = f"{entry['trial']} {entry['reason']}"
        if uses_batch_norm(arm.configuration.network):
            text += "; its batch norms saw smaller batches than those of other trials, which is a difference of its own"
        self.talk.warn(text)
        self.record.append("warning", text=text)

    def _finalists(self) -> list[str]:
        """Chooses the finalists and records them, unless that very choice is the recorded one."""
        if self.plan.study.spec.design.kind == "train":
            chosen: list[str] = []
        else:
            chosen = finalists(self.plan, self._explored())
        if self.last("finalists").get("arms") != chosen:
            self.record.append("finalists", arms=chosen)
        return chosen

    def _explored(self) -> dict[str, float]:
        """Returns the mean scores by which finalists are chosen: of a race, over the seeds that each arm has."""
        if getattr(self.plan.study.spec.design, "racing", None) is not None:
            return raced_scores(self.plan, self.finished)
        return scores(self.plan, self.finished, "explore", self._seeds_explored())

    def _seeds_explored(self) -> list[int]:
        """Returns the seeds that arms are compared on: all, or those that every arm has when time was up."""
        seeds = list(self.plan.seeds)
        if not self._time_limit.was_up or self.plan.adaptive:
            return seeds
        return self._seeds_of_all(self.plan.arms, seeds) or seeds[:1]

    def _seeds_of_all(self, arms: Iterable[str], seeds: Iterable[int]) -> list[int]:
        """Returns the seeds with which every arm's trial has ended."""
        named = list(arms)
        return [seed for seed in seeds if all(f"{arm}-s{seed}" in self.finished for arm in named)]

    def _chosen(self) -> list[str]:
        recorded: list[str] = self.last("finalists").get("arms", [])
        return [arm for arm in recorded if arm in self.plan.arms]

    def _confirm_trials(self, chosen: list[str]) -> list[Trial]:
        """Returns the confirm trials, seed by seed, on seeds no design uses."""
        arms = confirmed_arms(self.plan, chosen)
        return [Trial(arm, seed, "confirm") for seed in self.confirm_seeds for arm in arms]

    def _lost(self, trials: list[Trial]) -> set[str]:
        """Returns the trials that have ended and whose weights, needed still, are gone or damaged: they run again."""
        tested = latest(self.record.entries, "tested")
        best = {trial.name for trial in lesion_trials(trials, self.finished)}
        ended = [self.finished[trial.name] for trial in trials if trial.name in self.finished]
        wanted = (entry for entry in ended if entry["trial"] in best or entry["trial"] not in tested)
        lost = {entry["trial"] for entry in wanted if entry["status"] == "completed" and not self._kept(entry)}
        for trial in sorted(lost):
            self.warn(f"the weights of {trial} are gone or damaged: it is trained again")
            self.record.append("again", sync=False, trial=trial)
        return lost

    def _kept(self, entry: dict[str, Any]) -> bool:
        """Whether a trial's weights are there as they were written."""
        found = sha256_of(self.weights(entry["trial"]))
        return bool(found) and entry.get("weights_sha256") in (None, found)

    @property
    def confirm_seeds(self) -> Sequence[int]:
        """The confirm phase's seeds; where time was up before its end, those that all its arms have."""
        return confirm_seeds(self.plan) if self._cut is None else self._cut

    def _open_test(self, chosen: list[str]) -> None:
        """Names the winner by validation, writes that down, and only then opens the test split, to report."""
        confirmed = scores(self.plan, self.finished, "confirm", self.confirm_seeds) if self.confirm_seeds else {}
        candidates = confirmed_arms(self.plan, chosen)
        best = winner(self.plan, {arm: score for arm, score in confirmed.items() if arm in candidates})
        if best is None:
            self.talk.warn("no arm completed the confirm phase, so there is no winner and the test split stays sealed")
            return
        seed = max(self.confirm_seeds, key=lambda seed: (self.finished[f"{best}-s{seed}"]["val_accuracy"], -seed))
        last = self.last("winner")
        if (last.get("arm"), last.get("seed")) != (best, seed):
            self.record.append("winner", arm=best, seed=seed, val_accuracy=confirmed[best])
        tested = latest(self.record.entries, "tested")
        trials = {trial.name: trial for trial in self._confirm_trials(chosen)}
        missing = [
            trial
            for name, trial in trials.items()
            if name not in tested and self.finished.get(name, {}).get("status") == "completed"
        ]
        if missing:
            why = self._why_open(best)
            arms = sorted({trial.arm for trial in missing})
            self.record.append("test_opened", time=now(), arms=arms, trials=len(missing), winner=best, why=why)
            self._test(missing)
        write_winner(self, best, seed)

    def _why_open(self, best: str) -> str:
        """Returns why the test split is opened now, in words; warns where it was open before."""
        before = self.last("test_opened")
        if not before:
            return f"the winner was chosen: {self.plan.label(best)}"
        changed = before.get("winner") != best
        why = f"the choice {'changed' if changed else 'stayed, with more trials behind it'}: {self.plan.label(best)}"
        self.warn(f"the test split, first opened {self._first_opening()}, is opened again: {why}")
        return why

    def _first_opening(self) -> str:
        return str(next(entry["time"] for entry in self.record.entries if entry["event"] == "test_opened"))

    def _test(self, trials: list[Trial]) -> None:
        self.talk.note(f"test split: opened to report on {len(trials)} confirmed trials")
        for trial, reply in self._answers(trials, "test"):
            if reply["status"] == "failed":
                raise RuntimeError(f"{trial.name} could not be tested: {reply['reason']}\n{reply.get('traceback', '')}")
            self.record.append(
                "tested", trial=trial.name, **_finite({key: value for key, value in reply.items() if key != "status"})
            )

    def _lesion(self, chosen: list[str]) -> None:
        """Finds out, once, what each residual block of the finalists is worth: of the best seed of each."""
        done = latest(self.record.entries, "lesion")
        best = lesion_trials(self._confirm_trials(chosen), self.finished)
        missing = [trial for trial in best if trial.name not in done]
        for trial, reply in self._answers(missing, "lesion"):
            if reply["status"] == "failed":
                self.talk.warn(f"{trial.name} without single blocks could not be measured: {reply['reason']}")
            else:
                self.record.append(
                    "lesion", trial=trial.name, **{name: reply[name] for name in ("images", "accuracy", "blocks")}
                )

    def _answers(self, trials: list[Trial], task: str) -> Iterator[tuple[Trial, dict[str, Any]]]:
        """Has a task done with the weights of trained trials; yields each with its reply, as they come."""
        if not trials:
            return
        executor = self._executor()
        waiting, flying = list(trials), dict[str, Trial]()
        while waiting or flying:
            while waiting and len(flying) < executor.slots:
                trial = waiting.pop(0)
                flying[trial.name] = trial
                executor.submit(self._job(trial, task, weights=self.weights(trial.name).read_bytes()))
            for job, reply in self._wait(executor, None):
                yield flying.pop(job.name), reply

    def _wait(self, executor: Executor, seconds: float | None) -> list[tuple[Job, dict[str, Any]]]:
        with self._interrupts.window():
            return executor.wait(seconds)

    def weights(self, trial: str) -> Path:
        """Returns where a confirm trial's weights are kept."""
        return self.directory / "weights" / f"{trial}.safetensors"

    def _job(self, trial: Trial, task: str, **more: Any) -> Job:
        plugins, limits = self.plan.study.plugins, self.plan.limits
        varied, configuration = self.plan.study.spec.design.vary, self.configuration(trial.arm, trial.phase)
        return Job(trial.name, task, configuration, trial.seed, varied, plugins=plugins, limits=limits, **more)

    def cut(self, seed: int) -> int | None:
        """Returns by what number the validation split of a seed's trials is cut anew; None where all share one."""
        return seed if "split" in self.plan.study.spec.design.vary else None

    def configuration(self, arm: str, phase: str) -> dict[str, Any]:
        """Returns what an arm is trained as in a phase, as plain data."""
        found = self.plan.find(arm)
        assert found is not None
        plain = found.configuration.plain()
        epochs = self.plan.study.spec.confirm.epochs
        if phase == "confirm" and epochs is not None:
            plain["train"] = {**plain["train"], "epochs": epochs}
        return plain

    def warn(self, text: str) -> None:
        """Tells the user, and keeps it for the report."""
        self.talk.warn(text)
        if not any(entry["event"] == "warning" and entry["text"] == text for entry in self.record.entries):
            self.record.append("warning", text=text)

    def last(self, event: str) -> dict[str, Any]:
        """Returns the last entry of an event in the record; empty if there is none."""
        return next((entry for entry in reversed(self.record.entries) if entry["event"] == event), {})

    def elapsed(self) -> float:
        """Returns the seconds since this session was made, on a clock that no one sets."""
        return time.monotonic() - self._started

    def last_event(self) -> str:
        """Returns the kind of the record's last entry, those left aside that change nothing."""
        events = (entry["event"] for entry in reversed(self.record.entries))
        return next((event for event in events if event not in ("warning", "written")), "")

    def _best(self, phase: str) -> str:
        mean, arm = self._leaders.get(phase, (0.0, ""))
        return f"{mean:.1%} {self.plan.label(arm)}" if self.plan.find(arm) else ""

    def _score(self, entry: dict[str, Any]) -> None:
        """Keeps means up to date, and which arm leads: a scan of all trials at every end would take ever longer."""
        if entry.get("train_seconds"):
            self._trained = self._trained[0] + entry["train_seconds"], self._trained[1] + 1
        if entry["status"] != "completed":
            return
        key = entry["phase"], entry["arm"]
        total, count = self._sums.get(key, (0.0, 0))
        total, count = total + entry["val_accuracy"], count + 1
        self._sums[key] = total, count
        mean, leader = total / count, self._leaders.get(entry["phase"])
        if leader is not None and leader[1] == entry["arm"] and mean < leader[0]:  # the leader fell back
            means = [(total / count, arm) for (phase, arm), (total, count) in self._sums.items() if phase == key[0]]
            self._leaders[entry["phase"]] = max(means)
        elif leader is None or mean >= leader[0]:
            self._leaders[entry["phase"]] = (mean, entry["arm"])


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _finite(value: Any) -> Any:
    """Returns plain data with None in place of NaN and infinities, which JSON has no words for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
