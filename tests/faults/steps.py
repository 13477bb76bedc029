"""Strikes the driver in the midst of a step: ``STEP:COUNT:SIGNAL``, such as ``checkpoint:2:SIGKILL``.

The steps are those between which a driver can die: ``propose`` (a search has chosen an arm), ``dispatch`` (a trial is
given to a worker), ``rung`` (a trial that paused is to go on), ``report`` (a trial has ended, and its line is written),
``record`` (half of that line is), ``checkpoint`` (half of a trial's weights are), ``export`` (half of the winner's
are), and ``page`` (``report.json`` is written and ``report.html`` is not). A fourth field sends the signal so many
times. ``room:BYTES`` strikes with a disk on which no file may be larger than that.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blocks.weights
import reports.page
import search.dispatch
from search.record import Record
from search.record_lines import line_of

EVENTS = {"propose": "arm", "dispatch": "started", "rung": "rung", "report": "finished"}
STEPS = ("propose", "dispatch", "report", "record", "checkpoint", "export", "page")


def strike_at(told: str) -> None:
    """Makes this process send itself a signal at the count-th time that it comes to a step."""
    step, count, *rest = told.split(":")
    if step == "room":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(count), resource.RLIM_INFINITY))
        return
    strike = _Strike(int(count), getattr(signal, rest[0]), int(rest[1]) if rest[1:] else 1)
    if step in EVENTS:
        _after_entries(EVENTS[step], strike)
    else:
        {"record": _in_a_line, "checkpoint": _in_weights, "export": _in_the_winner, "page": _before_the_page}[step](
            strike
        )


class _Strike:
    def __init__(self, count: int, number: signal.Signals, times: int) -> None:
        self.left, self.number, self.times = count, number, times

    @property
    def kills(self) -> bool:
        return self.number == signal.SIGKILL

    def due(self) -> bool:
        self.left -= 1
        return self.left == 0

    def now(self) -> None:
        for _ in range(self.times):
            os.kill(os.getpid(), self.number)


def _after_entries(event: str, strike: _Strike) -> None:
    append = Record.append

    def struck(self: Record, name: str, **fields: Any) -> dict[str, Any]:
        entry = append(self, name, **fields)
        if name == event and strike.due():
            strike.now()
        return entry

    Record.append = struck  # type: ignore[method-assign,assignment]


def _in_a_line(strike: _Strike) -> None:
    append = Record.append

    def struck(self: Record, name: str, **fields: Any) -> dict[str, Any]:
        if name == "finished" and strike.due():
            if strike.kills:  # any other signal leaves the line to be written whole
                line = line_of({"event": name, **fields}, self._next)
                self._file.write(line[: len(line) // 2])
            strike.now()
        return append(self, name, **fields)

    Record.append = struck  # type: ignore[method-assign,assignment]


def _in_weights(strike: _Strike) -> None:
    search.dispatch.write_atomically = _half(search.dispatch.write_atomically, strike, "weights")  # type: ignore[assignment]


def _in_the_winner(strike: _Strike) -> None:
    blocks.weights._write = _half(blocks.weights._write, strike, "")


def _half(write: Callable[[Path, Any], None], strike: _Strike, folder: str) -> Callable[[Path, Any], None]:
    def struck(path: Path, content: Any) -> None:
        if (not folder or path.parent.name == folder) and strike.due():
            path.with_name(f".{path.name}.{os.getpid()}").write_bytes(content[: len(content) // 2])
            strike.now()
        write(path, content)

    return struck


def _before_the_page(strike: _Strike) -> None:
    replace = reports.page.replace

    def struck(path: Path, text: str) -> Path:
        if path.name == "report.html" and strike.due():
            strike.now()
        return replace(path, text)

    reports.page.replace = struck
