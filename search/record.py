"""The record of a run: one append-only file, a checksum a line, flushed to disk, and one writer.

Everything else in a run directory can be made again from it. A line is one JSON object: a checksum (the first 16
hexadecimal digits of the SHA-256) of all that follows it, the line's number, and the entry itself. So a line that was
changed, taken out or put in twice is noticed. Lines of earlier versions have no number.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shlex
import socket
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

SCHEMA = 1
HOLD_SECONDS = 0.3
"""How long a held directory is asked for: whoever only looks whether it is held holds it for an instant."""

_HEAD = '{"checksum":"'
_ENTRY = '"entry":'


class RunDirectoryError(Exception):
    """The run directory is busy, full or unreadable (exit code 5)."""


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
            self._lock = _hold(directory)
        except OSError as error:
            raise RunDirectoryError(f"{directory}: can't be written: {error.strerror or error}") from None
        try:
            _sweep(directory)
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
        with _hold(directory):
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


class Scan(NamedTuple):
    """What a record's file holds.

    Attributes:
        entries: Of the lines that are whole, each once.
        damaged: The numbers of the lines that are not, from 1.
        missing: How many lines there were that are not there.
        repeated: The numbers of the lines that are there already.
        next: The number that the next line is to have.
        sound: Bytes before a last line that was never finished.
        size: Bytes of the file.
    """

    entries: list[dict[str, Any]]
    damaged: list[int]
    missing: int
    repeated: list[int]
    next: int
    sound: int
    size: int

    @property
    def lost(self) -> int:
        """How many lines there were whose content is not known."""
        return len(self.damaged) + self.missing

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, in words; nothing of one that is sound."""
        found = [f"line {number} of the record does not match its checksum" for number in self.damaged]
        found += [f"lines of the record are missing: {self.missing:,}"] if self.missing else []
        found += [f"line {number} of the record is there already" for number in self.repeated]
        return found


def scan(path: Path) -> Scan:
    """Reads a record line by line, past damage. Raises ``RunDirectoryError`` if it can't be read at all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RunDirectoryError(f"{path}: can't be read: {error.strerror}") from None
    entries, damaged, repeated, seen, sound, due = [], [], [], set[int](), 0, 1
    for position, (line, end) in enumerate(_lines(raw), 1):
        found = _content(line)
        if found is not None:
            number = found.get("line", due)
            if number in seen:
                repeated.append(position)
            else:
                entries.append(found["entry"])
                seen.add(number)
                due = max(due, number + 1)
        elif end < len(raw) or not _unfinished(line):
            damaged.append(position)
            due += 1
        else:
            break
        sound = end
    missing = max(0, due - 1 - len(entries) - len(damaged))
    return Scan(entries, damaged, missing, repeated, due, sound, len(raw))


def record_of(entries: Iterable[dict[str, Any]]) -> bytes:
    """Returns the text of a record that holds these entries."""
    return b"".join(line_of(entry, number) for number, entry in enumerate(entries, 1))


def line_of(entry: dict[str, Any], number: int) -> bytes:
    """Returns the line of the record that holds an entry; the first line's number is 1."""
    content = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = f'"line":{number},{_ENTRY}{content}'
    return f'{_HEAD}{_checksum(text)}",{text}}}\n'.encode()


def holder(directory: Path) -> str | None:
    """Returns which process holds a run directory, in words; None if none does. It is asked for and let go at once."""
    try:
        with (directory / ".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().strip() or "another process"
    except OSError:  # never held here, or a copy without it
        return None
    return None


def busy(directory: Path, name: str) -> str:
    """Returns what to say of a run directory that a process holds."""
    return f"{directory}: in use by {name}; wait until it ends, or name another folder with --out"


def command(module: str, *arguments: str | Path) -> str:
    """Returns a command of ours as a user types it."""
    return shlex.join(["python", "-m", module, *map(str, arguments)])


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file beside its name and renames it, so that no reader sees half of it.

    Raises:
        RunDirectoryError: If it can't be written; the old file is then intact.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RunDirectoryError(f"{path}: can't be written: {error.strerror}") from None


def _sweep(directory: Path) -> None:
    """Removes what writers left beside a name when they were killed."""
    for folder in (directory, *(directory / name for name in ("weights", "plugins", "checkpoints"))):
        for left in folder.glob(".*.*"):
            number = left.name.rpartition(".")[2]
            if number.isdigit() and left.is_file() and not Path(f"/proc/{number}").exists():
                left.unlink()


def _hold(directory: Path) -> IO[str]:
    lock = (directory / ".lock").open("a+")
    deadline = time.monotonic() + HOLD_SECONDS
    while not _held(lock):
        if time.monotonic() > deadline:
            lock.seek(0)
            name = lock.read().strip() or "another process"
            lock.close()
            raise RunDirectoryError(busy(directory, name))
        time.sleep(HOLD_SECONDS / 10)
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {socket.gethostname()}")
    lock.flush()
    return lock


def _held(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lines(raw: bytes) -> Iterator[tuple[bytes, int]]:
    start = 0
    while start < len(raw):
        newline = raw.find(b"\n", start)
        end = len(raw) if newline < 0 else newline + 1
        yield raw[start:end], end
        start = end


def _content(line: bytes) -> dict[str, Any] | None:
    """Returns a line's number, where it has one, and entry; None if the line is damaged or unfinished."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    start = len(_HEAD) + 16
    if not text.endswith("}\n") or not text.startswith(_HEAD) or text[start : start + 2] != '",':
        return None
    content = text[start + 2 : -2]
    if _checksum(content.removeprefix(_ENTRY)) != text[len(_HEAD) : start]:
        return None
    found = json.loads(f"{{{content}}}")
    return found if isinstance(found.get("entry"), dict) else None


def _unfinished(line: bytes) -> bool:
    """Whether the last line can be the beginning of one of ours; a power cut may leave zeros in place of the rest."""
    begun, head = line.rstrip(b"\0"), _HEAD.encode()
    return begun.startswith(head) or head.startswith(begun)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
