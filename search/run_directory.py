"""A run directory: held by one process at a time, and no file in it ever half written."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import socket
import time
from pathlib import Path
from typing import IO

HOLD_SECONDS = 0.3
"""How long a held directory is asked for: whoever only looks whether it is held holds it for an instant."""


class RunDirectoryError(Exception):
    """The run directory is busy, full or unreadable (exit code 5)."""


def hold(directory: Path) -> IO[str]:
    """Holds a run directory until what is returned is closed, or this process ends, however it does.

    Raises:
        RunDirectoryError: If another process holds it.
    """
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


def sha256_of(path: Path) -> str:
    """Returns the hash of a file's bytes; nothing where there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def sweep(directory: Path) -> None:
    """Removes what writers left beside a name when they were killed."""
    for folder in (directory, *(directory / name for name in ("weights", "plugins", "checkpoints"))):
        for left in folder.glob(".*.*"):
            number = left.name.rpartition(".")[2]
            if number.isdigit() and left.is_file() and not Path(f"/proc/{number}").exists():
                left.unlink()


def command(module: str, *arguments: str | Path) -> str:
    """Returns a command of ours as a user types it."""
    return shlex.join(["python", "-m", module, *map(str, arguments)])


def _held(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
