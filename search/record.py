"""The record of a run: one append-only file of lines with checksums, flushed to disk, and one writer.

Everything else in a run directory can be made again from it. ``search.record_lines`` has the format.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from search.record_lines import Scan, line_of, scan
from search.run_directory import RunDirectoryError, command, hold, sweep


class RecordWarning(UserWarning):
    """Something about the record that the user should know: an unfinished last line was dropped."""


OPENED_BESIDE = "test_opened_beside"
"""The event of a command that opened the test split for what it made of a run's model: no part of any session."""


class Record:
    """The open record of a run, held by one process at a time.

    The hold is a lock of the operating system, so it dies with the process, however that ends.

    Args:
        directory: The run directory; it is made if it is not there.

    Raises:
        RunDirectoryError: If another process holds it, it can't be written, or the record is damaged.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "trials.jsonl"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = hold(directory)
        except OSError as error:
            raise RunDirectoryError(f"{directory}: can't be written: {error.strerror or error}") from None
        try:
            sweep(directory)
            self.entries, self._next = self._recovered()
            # Unbuffered: a write that failed must not be tried again behind our back.
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            self._lock.close()
            raise RunDirectoryError(f"{self.path}: can't be written: {error.strerror}") from None
        except RunDirectoryError:
            self._lock.close()
            raise

    def append(self, event: str, *, sync: bool = True, **fields: Any) -> dict[str, Any]:
        """Writes one entry and waits until it is on disk.

        Args:
            sync: Whether to wait. An entry that means nothing without a later one (a trial has started) need not be
                waited for: the file is written in order, so the later one's wait is also its own.

        Raises:
            RunDirectoryError: If there is no room; nothing of the entry is then left.
        """
        entry = {"event": event, **fields}
        line = line_of(entry, self._next)
        end = self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            _cut(self.path, end)
            raise RunDirectoryError(f"{self.path}: can't be written: {error.strerror}") from None
        self.entries.append(entry)
        self._next += 1
        return entry

    def last(self, event: str) -> dict[str, Any]:
        """Returns the last entry of an event; empty if there is none."""
        return next((entry for entry in reversed(self.entries) if entry["event"] == event), {})

    @property
    def last_event(self) -> str:
        """The kind of the last entry, those left aside that change nothing."""
        events = (entry["event"] for entry in reversed(self.entries))
        return next((event for event in events if event not in ("warning", "written", OPENED_BESIDE)), "")

    @staticmethod
    @contextmanager
    def held(directory: Path) -> Iterator[None]:
        """Holds a run directory without opening its record. Raises ``RunDirectoryError`` if another process does."""
        with hold(directory):
            yield

    def close(self) -> None:
        """Closes the file and lets go of the run directory."""
        self._file.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recovered(self) -> tuple[list[dict[str, Any]], int]:
        """Reads what is there, and cuts off a last line that was never finished; returns the next line's number too."""
        if not self.path.exists():
            return [], 1
        found = _demand_sound(self.path)
        if found.sound < found.size:
            warnings.warn(
                f"{self.path.name}: the last {found.size - found.sound} bytes are an unfinished write and were dropped",
                RecordWarning,
                stacklevel=3,
            )
            _cut(self.path, found.sound)
        return found.entries, found.next


class Snapshot(Record):
    """A record as it stands, read beside the process that holds it; nothing can be added.

    Raises:
        RunDirectoryError: If it can't be read, or is damaged.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "trials.jsonl"
        self.entries = read(self.path)[0]

    def append(self, event: str, *, sync: bool = True, **fields: Any) -> dict[str, Any]:
        raise RunDirectoryError(f"{self.path}: read only; another process holds it")

    def close(self) -> None:
        """Nothing is held."""


def read(path: Path) -> tuple[list[dict[str, Any]], int, int]:
    """Reads a record without holding it.

    Returns:
        The entries, the number of bytes that hold them, and the file's size. More bytes than hold entries means that
        the last write was never finished.

    Raises:
        RunDirectoryError: If a line other than the last is damaged, or lines are missing or there twice.
    """
    found = _demand_sound(path)
    return found.entries, found.sound, found.size


def _demand_sound(path: Path) -> Scan:
    found = scan(path)
    if found.damaged:
        wrong = f"{path}:{found.damaged[0]}: the checksum does not match; the record is damaged there"
    elif found.faults:
        wrong = f"{path}: {'; '.join(found.faults)}"
    else:
        return found
    mending = command("search.audit", path.parent, "--mend")
    raise RunDirectoryError(f"{wrong}; {mending} sets it aside and keeps every line that is whole")


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
