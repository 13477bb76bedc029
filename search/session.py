"""One session of a study: explore, confirm, choose, open the test split; or go on where an earlier one stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from search.arms import Trial
from search.confirm import choose_finalists, confirm_trials, lost_weights, recorded_finalists, seeds_of_all
from search.designs.search import Search
from search.dispatch import Dispatch
from search.engine import Executor
from search.explore import Listed, Proposed, Queue
from search.fidelity import Fidelity
from search.interrupts import Interrupts
from search.known import recall
from search.opening import measure_lesions, open_test
from search.outlook import left_now, planned_now, rounds_to_confirm
from search.outputs import sampled, write_outputs
from search.plan import Plan
from search.planned import confirm_seeds
from search.progress import Talk
from search.record import Record
from search.select import raced_scores, scores
from search.shelf import Shelf
from search.time_limit import TimeLimit
from search.tracking import Tracking
from search.tune import Tuning
from search.yardstick import planned_random, random_trials, spent


class UnknownTrial(ValueError):
    """No trial of the plan has this name."""


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
        self.shelf, self._executor = shelf, executor
        self._time_limit, self._started = time_limit or TimeLimit(None), time.monotonic()
        self._cut: list[int] | None = None
        self.dispatch = Dispatch(
            plan,
            directory,
            record,
            executor,
            talk,
            interrupts,
            tracking=tracking or Tracking(talk.warn),
            time_limit=self._time_limit,
            max_failures=max_failures,
            command=command,
            ended=ended or _nothing,
            elapsed=self.elapsed,
        )
        self.finished = self.dispatch.finished
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
            self.dispatch.stop_what_waits(queue)
        if getattr(self.plan.study.spec.design, "compare", None) == "random":
            self._phase("random", Listed(self._random_trials(), set(self.finished)))
        if self.plan.fidelity is not None:
            self._check_short_runs(self.plan.fidelity)
        chosen = choose_finalists(self.plan, self.record, self._explored())
        confirming = self._confirm_trials(chosen)
        self._phase("confirm", Listed(confirming, set(self.finished) - self._lost(confirming)))
        self._tell_of_time()
        if self._time_limit.was_up:
            self._cut = seeds_of_all(self.finished, {trial.arm for trial in confirming}, self.confirm_seeds)
        self._open_test(chosen)
        measure_lesions(self, self._confirm_trials(chosen))
        if not self._time_limit.was_up:
            self.dispatch.pauses.clear()
        self.write()

    def run_only(self, name: str) -> None:
        """Runs one trial of the plan, again if it is finished. Raises ``UnknownTrial``."""
        self.restore()
        trials = {trial.name: trial for trial in self._all_trials()}
        if name not in trials:
            raise UnknownTrial(
                f"there is no trial '{name}' in this plan; its trials are {', '.join(list(trials)[:5])}, ..."
            )
        if name in self.finished:
            self.record.append("again", sync=False, trial=name)
        self.dispatch.run(trials[name].phase, Listed([trials[name]], set()))
        self.write()

    def _all_trials(self) -> Iterator[Trial]:
        """Yields the trials of all phases, as far as they are known."""
        yield from self.plan.explore_trials()
        yield from self._confirm_trials(recorded_finalists(self.plan, self.record))
        if self.plan.tuning is not None:
            yield from self.plan.tuning.trials()
        if self.plan.fidelity is not None:
            yield from self.plan.fidelity.trials(sampled(self.plan, self.record.entries))
        if planned_random(self.record.entries):
            yield from self._random_trials()

    def write(self) -> None:
        """Writes the tables from the record as it stands."""
        write_outputs(self.directory, self.plan, self.record.entries)

    @property
    def failed(self) -> int:
        """How many of the plan's trials have failed, in this session or before."""
        return sum(entry["status"] == "failed" for entry in self.finished.values() if self.plan.find(entry["arm"]))

    def planned(self) -> dict[str, int]:
        """Returns how many trials each phase has, as far as is known now."""
        return planned_now(self.plan, self.record, self.confirm_seeds)

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
        if planned_random(self.record.entries):
            self._random_trials()

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
            self.dispatch.run(name, queue, trial, self._held_back(name))

    def _held_back(self, phase: str) -> float:
        """Returns for how many later trials a phase is to leave time; 0 if no one asks for time."""
        if phase == "confirm" or not self._time_limit.set:
            return 0.0
        return rounds_to_confirm(self.plan, self.planned())

    def _tell_of_time(self) -> None:
        """Says, and records, what was not run because the study's time was up."""
        if not self._time_limit.was_up:
            return
        left = left_now(self.plan, self.planned(), self.finished)
        if left and self.record.last("time_up").get("left") != left:
            self.record.append("time_up", left=left, hours=self.plan.study.spec.time.hours)
            told = ", ".join(f"{count:,} {phase}" for phase, count in left.items())
            self.warn(f"the study's time was up: {told} trials were not run; more time.hours goes on from here")

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
        return seeds_of_all(self.finished, self.plan.arms, seeds) or seeds[:1]

    def _confirm_trials(self, chosen: list[str]) -> list[Trial]:
        return confirm_trials(self.plan, chosen, self.confirm_seeds)

    def _lost(self, trials: list[Trial]) -> set[str]:
        """Returns the trials whose weights, needed still, are gone or damaged, and says so: they run again."""
        lost = lost_weights(self.directory, self.record, trials, self.finished)
        for trial in lost:
            self.warn(f"the weights of {trial} are gone or damaged: it is trained again")
            self.record.append("again", sync=False, trial=trial)
        return set(lost)

    def _open_test(self, chosen: list[str]) -> None:
        open_test(self, chosen, self._confirm_trials(chosen))

    @property
    def confirm_seeds(self) -> Sequence[int]:
        """The confirm phase's seeds; where time was up before its end, those that all its arms have."""
        return confirm_seeds(self.plan) if self._cut is None else self._cut

    def warn(self, text: str) -> None:
        """Tells the user, and keeps it for the report."""
        self.talk.warn(text)
        if not any(entry["event"] == "warning" and entry["text"] == text for entry in self.record.entries):
            self.record.append("warning", text=text)

    def elapsed(self) -> float:
        """Returns the seconds since this session was made, on a clock that no one sets."""
        return time.monotonic() - self._started


def _nothing() -> None:
    """Whoever doesn't want to know that a trial has ended."""
