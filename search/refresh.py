"""The page of a study that still runs: written anew now and then, by a process that takes only time nobody else wants.

python -m search.refresh RUN_DIR          # that process; it reads the record, and ends with the one that started it
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # ``python -m`` puts the working directory first, where a user's html.py or random.py would shadow the library's.
    sys.path.append(sys.path.pop(0))

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

EVERY_SECONDS = 60.0
REST = 10.0  # a refresh begins no sooner than so many times as long as the last one took


class Refresher:
    """Has the page written while trials run; one that fails is told of once, and no other is tried.

    Args:
        directory: Of the run, with its ``study.yaml``.
        warn: Told, in one sentence, when refreshing is given up.
        every: Seconds from one refresh to the next, at least; the first one waits as long.
    """

    def __init__(self, directory: Path, warn: Callable[[str], None], every: float = EVERY_SECONDS) -> None:
        self._directory, self._warn, self._every = directory, warn, every
        self._due = time.monotonic() + every
        self._begun = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def trial_ended(self) -> None:
        """Starts a refresh if the last one is long enough ago; returns at once."""
        try:
            if self._process is not None and self._process.poll() is not None:
                self._look_back(self._process)
            if self._process is None and time.monotonic() >= self._due:
                self._start()
        except OSError as error:  # no study is worth less than its page
            self._give_up(str(error))

    def close(self) -> None:
        """Ends a refresh that is under way, without a trace; none starts from now on."""
        self._due = float("inf")
        if (process := self._process) is not None:
            process.kill()
            process.wait()
            self._put_away(process)
            _tidy(self._directory, process.pid)

    def _start(self) -> None:
        self._due, self._begun = time.monotonic() + self._every, time.time()
        self._said = TemporaryFile()  # noqa: SIM115 - it is open as long as the process runs
        self._process = subprocess.Popen(
            [sys.executable, "-m", "search.refresh", str(self._directory)],
            stdin=subprocess.PIPE,  # it ends when this end is closed, or gone
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # out of reach of Ctrl-C
        )

    def _look_back(self, process: subprocess.Popen[bytes]) -> None:
        """Sees how a refresh went: a long one is given a long rest."""
        said = self._put_away(process).strip().splitlines()
        if process.returncode != 0:
            self._give_up(said[-1] if said else f"exit code {process.returncode}")
            return
        took = (self._directory / "report.html").stat().st_mtime - self._begun
        self._due += max(0.0, REST * took - self._every)

    def _give_up(self, reason: str) -> None:
        self._due = float("inf")
        self._warn(f"the page can't be refreshed while the study runs: {reason}")

    def _put_away(self, process: subprocess.Popen[bytes]) -> str:
        """Lets go of a process that has ended; returns what it said on stderr."""
        assert process.stdin is not None
        assert self._said is not None
        process.stdin.close()
        self._process = None
        with self._said as said:
            said.seek(0)
            return said.read().decode(errors="replace")


def main() -> None:
    """Writes the tables and the page of the run directory that the command line names."""
    directory = Path(sys.argv[1])
    os.nice(19)
    threading.Thread(target=_end_with_driver, args=(directory,), daemon=True).start()
    from search.run import refresh

    refresh(directory)


def _end_with_driver(directory: Path) -> None:
    while os.read(0, 4096):  # not through sys.stdin, whose lock would be in the way of an ordinary end
        pass
    _tidy(directory, os.getpid())
    os._exit(1)


def _tidy(directory: Path, process: int) -> None:
    """Removes what a process was about to rename."""
    for beside in directory.glob(f".*.{process}"):
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
