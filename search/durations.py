"""How long trials took, to tell how long those to come will take."""

from __future__ import annotations

import math
import time

SLACK = 1.2
"""By so much trials to come may be slower than those that ended, before the study's time is too short for them."""


class Durations:
    """What trials took: in this session from their start to their end, in earlier ones their training alone."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._took: list[float] = [0.0, 0]
        self._trained: list[float] = [0.0, 0]

    def begin(self, trial: str) -> None:
        """Takes note of a trial that begins."""
        self._begun[trial] = time.monotonic()

    def end(self, trial: str) -> None:
        """Takes note of a trial that has ended."""
        ended = time.monotonic()
        _add(self._took, ended - self._begun.pop(trial, ended))

    def trained(self, seconds: float | None) -> None:
        """Takes note of how long a trial was trained, in this session or before."""
        if seconds:
            _add(self._trained, seconds)

    def seconds_for(self, trials: float, slots: int) -> float:
        """Returns what so many trials will take by the mean of those that ended; a round more than they need."""
        total, count = self._took if self._took[1] else self._trained
        return SLACK * (math.ceil(trials / slots) + 1) * total / count if trials and count else 0.0


def _add(sum_and_count: list[float], seconds: float) -> None:
    sum_and_count[0] += seconds
    sum_and_count[1] += 1
