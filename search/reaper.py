"""Ends the processes of a private Ray when their driver is gone, however it ended.

Ray's workers end with their driver, but two of its agents may outlive a driver that was killed. This little process
waits for the end of its standard input, which comes when the driver closes it or dies, and then ends every process
that inherited the driver's token. Run as a file, with nothing imported that takes time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

GRACE_SECONDS = 2.0


def main() -> None:
    """Reads the token, a line, from standard input; waits for its end; ends who bears the token."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    token = sys.stdin.readline().strip().encode()
    sys.stdin.read()
    time.sleep(GRACE_SECONDS)  # most end by themselves
    for pid in _bearers(token):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _bearers(token: bytes) -> list[int]:
    """Returns the processes of this user whose environment at their start held the token."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if token in environment.read_bytes():
                found.append(int(environment.parent.name))
        except OSError:  # another user's, or gone by now
            continue
    return [pid for pid in found if pid != os.getpid()]


if __name__ == "__main__":
    main()
