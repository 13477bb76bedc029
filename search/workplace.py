"""Where a session happens: the run directory, the processes that train, and what is to be known of both."""

from __future__ import annotations

import argparse
import json
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ruamel.yaml import YAML

from search.additions import added
from search.data.images import Splits
from search.data.sanity import sanity
from search.dispatch import TooManyFailures
from search.doubts import doubts
from search.engine import Executor
from search.environment import environment
from search.interrupts import Interrupts
from search.opening import now
from search.outputs import MADE, selection
from search.plan import Plan
from search.progress import Talk, say
from search.record import Record, Snapshot
from search.refresh import Refresher
from search.resume import StudyChanged, changes, check_resumable
from search.run_directory import command, sha256_of, write_atomically
from search.session import Session
from search.sessions import seconds_left, session_entry, surroundings
from search.shelf import Shelf
from search.stopwatch import Stopwatch
from search.study import Study, load_study
from search.time_limit import TimeLimit
from search.tracking import Tracking
from search.workers import baseline_images, hired, start_ray

PLUGINS = "plugins"
"""The folder of a run directory that holds copies of the study's plugins."""


class Workplace:
    """A session with all that it needs; use it as a context, so that no process outlives it.

    Raises:
        StudyChanged: If the study no longer matches the run.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        study: Study,
        plan: Plan,
        directory: Path,
        record: Record,
        interrupts: Interrupts,
        measured: dict[str, Any] | None = None,
    ) -> None:
        self._measured = measured or {}
        self.options, self.study, self.plan, self.directory, self.record = options, study, plan, directory, record
        self.talk, self.shelf = Talk(log=directory / "log.jsonl"), Shelf()
        self._interrupts = interrupts
        self.tracking = Tracking(self.warn)
        self._refresher = Refresher(directory, self.talk.warn)
        self._executor: Executor | None = None
        self._ray: Any = None
        before = self._last_session()
        if before is not None:
            check_resumable(before["study"], study.spec.plain())
        limit = 0 if options.fail_fast else options.max_failures
        self.session = Session(
            plan,
            directory,
            record,
            self.executor,
            self.talk,
            self.shelf,
            interrupts,
            max_failures=limit,
            tracking=self.tracking,
            time_limit=TimeLimit(seconds_left(study.spec.time.hours, record.entries)),
            command=self._resuming(),
            ended=self._refresher.trial_ended,
        )

    def __enter__(self) -> Self:
        before = self._last_session()
        finished = before is not None and self._nothing_left() and not self.options.only
        if before is not None and (self.options.strict or finished):
            changed = changes(before, {"environment": environment(self.study.plugins), "data": before["data"]})
            if changed and self.options.strict:
                raise StudyChanged(f"changed since the last session of this run: {'; '.join(changed)}")
            if changed:  # not for the report: nothing in it was made with what has changed
                self.talk.warn(f"nothing is left to run, but changed since: {'; '.join(changed)}; --fresh runs it anew")
        if not self.options.inline and not self._nothing_left():
            self._ray = start_ray(self.options, self.study)  # takes seconds: awaited when needed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tracking.end()
        self._refresher.close()
        if self._executor is not None:
            self._executor.close()
        elif self._ray is not None:
            self._ray.close()

    @property
    def begun(self) -> bool:
        """Whether a session was ever recorded here, so that there is something to report on."""
        return self._last_session() is not None

    def run(self) -> int:
        """Runs the session; returns the exit code."""
        try:
            if self.options.only:
                self.session.run_only(self.options.only)
            else:
                self.session.run()
                if self._last_session() is None and self.session.finished:
                    self.executor()  # which records the session: the line that told of the one before is lost
                if self.plan.adaptive and self._executor is not None:
                    self._doubt()
                if self.record.last_event != "ended":
                    self.record.append("ended", time=now(), elapsed=self.session.elapsed())
        except TooManyFailures as error:
            self.warn(f"ended early: {error}")
            return 3
        return 3 if self.session.failed else 0

    def warn(self, text: str) -> None:
        """Tells the user, and keeps it for the report."""
        self.session.warn(text)

    def write(self, *, running: bool = False) -> None:
        """Writes every file that is made from the record, but for the report.

        Args:
            running: Whether the study still runs, so that the page says when this was.
        """
        self._refresher.close()  # what it would write now is older
        self.session.write()
        write_atomically(self.directory / "study.yaml", study_yaml(self.study))
        if (session := self._last_session()) is not None:
            planned, seeds = self.session.planned(), self.session.confirm_seeds
            found = surroundings(self.plan, self.record.entries, session, planned, seeds)
            found |= {"running": now()} if running else {}
            content = json.dumps(found, indent=1, ensure_ascii=False)
            write_atomically(self.directory / "environment.json", content + "\n")
        if not running:
            sha256 = {name: sha256_of(self.directory / name) for name in MADE}
            if self.record.last("written").get("sha256") != sha256:
                self.record.append("written", sha256=sha256)

    def finish(self, report: Path) -> None:
        """Says what came out, on stdout."""
        chosen = selection(self.record.entries)["winner"]
        if chosen is not None and chosen["arm"] in self.plan.arms:
            arm = self.plan.arms[chosen["arm"]]
            assert arm.cost is not None
            say(f"winner: {arm.label} ({arm.arm}), {arm.cost.macs:,} MACs, {arm.cost.params:,} parameters")
            say(f"model:  {self.directory / 'winner.safetensors'}")
        say(f"report: {report}")

    def executor(self) -> Executor:
        """Returns the executor, started on first use: the data are loaded and the session recorded before that."""
        if self._executor is None:
            with self._interrupts.window():
                splits = baseline_images(self.study, self.plan, self.shelf)
            if not self.options.inline:
                self._ray = self._ray or start_ray(self.options, self.study)
            self._executor = hired(
                self.options, self.study, self.plan, self.shelf, self._interrupts, self.talk, self._ray
            )
            self._begin(splits)
        return self._executor

    def _begin(self, splits: Splits) -> None:
        """Records the session, and compares it with the one before."""
        assert self._executor is not None
        before, seen = self._last_session(), any(entry["event"] == "finished" for entry in self.record.entries)
        planned, only = self.session.planned(), self.options.only
        entry = session_entry(self.study, splits, self._executor, planned, measured=self._measured, only=only)
        if before is not None:
            if changed := changes(before, entry):
                message = f"changed since the last session of this run: {'; '.join(changed)}"
                if self.options.strict:
                    raise StudyChanged(message)
                self.warn(message)
            more = added(before["study"], entry["study"])
            if more and seen:
                self.warn(f"added after results had been seen: {'; '.join(more)}")
        self._keep_plugins()
        self.plan.stopwatch.write_to(self.record)
        self.record.append("session", **entry)
        for note in self.plan.stopwatch.notes:
            self.warn(note)
        # What a refresh of the page starts from.
        write_atomically(self.directory / "study.yaml", study_yaml(self.study))
        self._look_at(splits)
        self.tracking.begin(self.study.spec.tracking, entry["study"], self.directory)
        if not self.plan.adaptive:  # a search's arms are known when it has ended
            self._doubt()

    def _keep_plugins(self) -> None:
        """Copies the plugins into the run directory, where ``study.yaml`` and ``load_model`` look for them."""
        for plugin in self.study.plugins:
            (self.directory / PLUGINS).mkdir(exist_ok=True)
            write_atomically(self.directory / PLUGINS / plugin.name, plugin.text)

    def _look_at(self, splits: Splits) -> None:
        """Looks once at the data of a study, and tells what is wrong with them."""
        if self.record.last("sanity").get("checksum") == splits.checksum:
            return
        found = sanity(splits)
        self.record.append("sanity", checksum=splits.checksum, found=found.plain())
        for warning in found.warnings:
            self.warn(f"data: {warning}")

    def _doubt(self) -> None:
        """Tells what the networks themselves warn of."""
        for doubt in doubts(arm for arm in self.plan.arms.values() if arm.status == "run"):
            self.warn(doubt)

    def _last_session(self) -> dict[str, Any] | None:
        return next((entry for entry in reversed(self.record.entries) if entry["event"] == "session"), None)

    def _resuming(self) -> str:
        """Returns the command that goes on with this run, wherever its trials run."""
        options = self.options
        chosen = [f"--set={override}" for override in options.set] + (["--out", options.out] if options.out else [])
        return command("search.run", options.study, *chosen)

    def _nothing_left(self) -> bool:
        """Whether the last session of this very study came to its end, so that Ray need not be started."""
        last = self._last_session()
        return self.record.last_event == "ended" and last is not None and last["study"] == self.study.spec.plain()


def looking_in(directory: Path) -> Workplace:
    """Returns the workplace of a session that another process runs, as its record stands: to write, not to run."""
    path = directory / "study.yaml"
    study, record = load_study(path), Snapshot(directory)
    options = argparse.Namespace(study=path, set=[], out=directory, fail_fast=False, max_failures=None)
    plan = Plan(study, Stopwatch(study.spec, record.entries, measures=False))
    workplace = Workplace(options, study, plan, directory, record, Interrupts())
    workplace.session.restore()
    return workplace


def study_yaml(study: Study) -> str:
    """Returns a resolved study as YAML, for the run directory: its plugins are the copies there."""
    text = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump({**study.spec.plain(), "plugins": [f"{PLUGINS}/{plugin.name}" for plugin in study.plugins]}, text)
    return text.getvalue()
