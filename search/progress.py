"""What a user sees while trials run: one live line in a terminal, plain lines elsewhere. All of it on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from search.run_directory import RunDirectoryError

PLAIN_EVERY_SECONDS = 10.0
WIDE = 100
"""Columns of a terminal that has room for a long bar."""


class Talk:
    """Says what is going on.

    Args:
        quiet: Say only what needs the user's attention.
        log: Where to write it all down too: one JSON object a line, with time, level and text.
    """

    def __init__(self, quiet: bool = False, log: Path | None = None) -> None:
        self._log_path = log
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal and not quiet
        self._quiet = quiet
        self._progress: Progress | None = None
        self._phase, self._total, self._done, self._failed, self._running = "", 0, 0, 0, 0
        self._best = ""
        self._reasons: Counter[str] = Counter()
        self._said = self._started = self._first_end = time.monotonic()
        self._fresh = 0

    def note(self, text: str) -> None:
        """Says one line."""
        self._log("info", text)
        if not self._quiet:
            self._console.print(text, markup=False)

    def warn(self, text: str) -> None:
        """Says one line that the user should not miss."""
        self._log("warning", text)
        self._console.print(f"warning: {text}", markup=False, style="yellow")

    def phase(self, name: str, total: int, done: int) -> None:
        """Begins a phase of ``total`` trials, ``done`` of which are finished already."""
        self.end_phase()
        self._phase, self._total, self._done, self._failed, self._running = name, total, done, 0, 0
        self._best, self._fresh = "", 0
        self._reasons.clear()
        self._started = self._said = time.monotonic()
        if self._live:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24 if self._console.width >= WIDE else 8),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[state]}", table_column=Column(ratio=1, no_wrap=True)),  # cut where room ends
            )
            shown = Progress(*columns, console=self._console, transient=True, refresh_per_second=5, expand=True)
            self._progress = shown
            self._task = self._progress.add_task(name, total=total, completed=done, state="")
            self._progress.start()
        else:
            again = f", {done} of them finished before" if done else ""
            self.note(f"{name}: {total} trials{again}")

    def started(self) -> None:
        """One more trial runs."""
        self._running += 1
        self._show()

    def paused(self) -> None:
        """One trial paused, and will go on."""
        self._running -= 1
        self._show()

    def reopened(self) -> None:
        """One trial that had been stopped goes on."""
        self._done -= 1

    def finished(self, label: str, entry: dict[str, Any], total: int, best: str) -> None:
        """One trial ended; ``best`` names the best arm so far."""
        self._running -= 1
        self._done += 1
        self._fresh += 1
        self._total, self._best = total, best
        who = {"trial": entry["trial"], "arm": entry["arm"], "label": label}
        told = {"phase": self._phase, "status": entry["status"], "accuracy": entry.get("val_accuracy")}
        self._log("debug", f"{entry['trial']} {entry['status']}", **who, **told)
        if entry["status"] not in ("completed", "stopped"):
            self._failed += entry["status"] == "failed"
            self._reasons[entry["reason"]] += 1
            if self._reasons[entry["reason"]] == 1:
                alone = f"; alone: {entry['alone']}" if "alone" in entry else ""
                self.warn(f"{entry['trial']} ({label}) {entry['status']}: {entry['reason']}{alone}")
            if entry["status"] == "failed":
                more = {key: entry.get(key) for key in ("reason", "traceback", "log", "alone")}
                self._log("error", f"{entry['trial']} failed", **who, **more)
        self._show()

    def end_phase(self) -> None:
        """Ends the phase, leaving one line of it."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if self._phase and not self._quiet:
            seconds = time.monotonic() - self._started
            for reason, times in self._reasons.items():
                if times > 1:
                    self.warn(f"{times} trials ended like that: {reason}")
            self.note(f"{self._phase}: {self._done} of {self._total} trials finished, {seconds:.1f} s{self._ending()}")
        self._phase = ""

    def _ending(self) -> str:
        failed = f"; {self._failed} failed" if self._failed else ""
        return f"{failed}; best so far {self._best}" if self._best else failed

    def _show(self) -> None:
        failed = f" · {self._failed} failed" if self._failed else ""
        best = f" · best {self._best}" if self._best else ""
        state = f"{self._running} running{failed}{self._time_left()}{best}"
        if self._progress is not None:
            self._progress.update(self._task, completed=self._done, total=self._total, state=state)
        elif time.monotonic() - self._said >= PLAIN_EVERY_SECONDS:
            self._said = time.monotonic()
            self.note(f"{self._phase}: {self._done}/{self._total} · {state}")

    def _log(self, level: str, text: str, **fields: Any) -> None:
        if self._log_path is not None:
            line = json.dumps({"time": datetime.now(UTC).isoformat(), "level": level, "text": text, **fields})
            try:
                with self._log_path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError as error:
                raise RunDirectoryError(f"{self._log_path}: can't be written: {error.strerror}") from None

    def _time_left(self) -> str:
        """Estimated from the ends so far; the first ones also waited for the workers to start, and don't count."""
        if self._fresh == 1:
            self._first_end = time.monotonic()
        if self._fresh < 4 or self._done >= self._total:
            return ""
        seconds = (time.monotonic() - self._first_end) / (self._fresh - 1) * (self._total - self._done)
        return f" · about {seconds:.0f} s left" if seconds < 100 else f" · about {seconds / 60:.0f} min left"


def say(text: str) -> None:
    """Prints a result on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
