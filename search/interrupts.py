"""Ctrl-C and SIGTERM: taken at once while waiting for trials, and between two steps elsewhere.

An exception out of a signal handler may strike anywhere, also between writing a line and remembering it, or inside a
library that takes it for an error of its own. So outside of the windows in which it is welcome it has to wait. A
second signal ends the process at once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


class Interrupts:
    """The signals that ask this process to end."""

    def __init__(self) -> None:
        self._asked: int | None = None
        self._open = False

    @property
    def exit_code(self) -> int | None:
        """The exit code of a process that was asked to end; None if it was not."""
        return None if self._asked is None else 128 + self._asked

    def listen(self) -> None:
        """Takes over SIGINT and SIGTERM."""
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)

    def check(self) -> None:
        """Raises ``KeyboardInterrupt`` or ``Terminated`` if the process was asked to end."""
        if self._asked is not None:
            raise KeyboardInterrupt if self._asked == signal.SIGINT else Terminated

    @contextmanager
    def window(self) -> Iterator[None]:
        """Within, a signal is raised at once; also where a library has made an error of its own of it."""
        self.check()
        self._open = True
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            self._open = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked is not None:
            os._exit(128 + number)
        signal.alarm(0)  # where Ray's handler came first, the process would be aborted 3 s from now
        self._asked = number
        if self._open:
            self._open = False
            self.check()
