"""Ends the processes of a private Ray when their driver is gone, however it ended.

Ray's workers end with their driver, but two of its agents may outlive a driver that was killed. This little process
remembers the driver's descendants, waits for the end of its standard input, which comes when the driver closes it or
dies, and then ends whoever of them is left, and whoever bears the driver's token. (Some of Ray's processes overwrite
their environment with a title, some change their parent, so neither sign would do alone.) Run as a file, with nothing
imported that takes time.

What ends processes must never take others for them. The driver says who it is, by its number and its start: whoever has
adopted this process meanwhile is not the driver. A token that is missing or short ends nothing.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

TOKEN_LENGTH = 32
LOOK_SECONDS = 0.5
GRACE_SECONDS = 2.0

Process = tuple[int, str]
"""A process: its number, and when it started, since numbers are used again."""


def main() -> None:
    """Reads token, number and start of the driver from standard input; waits for its end; ends what is left of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    said = sys.stdin.readline()
    fields = said.split()
    if not said.endswith("\n") or len(fields) != 3 or len(fields[0]) < TOKEN_LENGTH or not fields[1].isdigit():
        return  # the driver died before it could say who it is, and so before there was a Ray
    token, driver = fields[0].encode(), (int(fields[1]), fields[2])
    known: set[Process] = set()
    while not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
        known |= descendants(driver)
    time.sleep(GRACE_SECONDS)  # most end by themselves
    for _try in range(5):  # one that is ended may have started another
        left = {number for number, _ in (known & set(processes())) | bearers(token)} - {os.getpid()}
        for number in left:
            end(number)
        if not left:
            return
        time.sleep(LOOK_SECONDS)


def processes() -> dict[Process, int]:
    """Returns every process with its parent's number; zombies left aside."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *rest = stat.read_text().rpartition(")")[2].split()
        except OSError:  # gone by now
            continue
        if state != "Z":
            found[int(stat.parent.name), rest[17]] = int(parent)
    return found


def descendants(ancestor: Process) -> set[Process]:
    """Returns the children of a process, their children, and so on; none if it isn't there any more."""
    parents = processes()
    found: set[Process] = set()
    numbers = {ancestor[0]} if ancestor in parents else set()
    while more := {process for process, parent in parents.items() if parent in numbers} - found:
        found |= more
        numbers |= {number for number, _ in more}
    return found


def myself() -> Process:
    """Returns this process: its number and its start."""
    number = os.getpid()
    return next(process for process in processes() if process[0] == number)


def bearers(token: bytes) -> set[Process]:
    """Returns the processes of this user whose environment at their start held the token."""
    found = set()
    for process in processes():
        try:
            if token in Path(f"/proc/{process[0]}/environ").read_bytes():
                found.add(process)
        except OSError:  # another user's, or gone by now
            continue
    return found


def end_with_children(number: int) -> None:
    """Ends a process of this user and all that descend from it, whatever signals they ignore."""
    for process in [process for process in processes() if process[0] == number]:
        below = descendants(process)  # before it is gone: they would be another's children then
        for found, _ in sorted({process} | below, key=lambda each: each[0] == os.getpid()):  # whoever asks goes last
            end(found)


def end(number: int) -> None:
    """Ends a process, if it is still there and ours."""
    try:
        os.kill(number, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
