"""Which arm leads each phase, kept up to date: a scan of all trials at every end would take ever longer."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

Entry = Mapping[str, Any]


class Leaders:
    """The means of the trials that completed, by phase and arm; a trial that was run again counts once."""

    def __init__(self) -> None:
        self._scores: dict[tuple[str, str], float] = {}  # by phase and trial
        self._sums: dict[tuple[str, str], tuple[float, int]] = {}  # by phase and arm
        self._ranked: dict[str, list[tuple[float, str]]] = {}  # heaps of every mean that an arm ever had, negated

    def add(self, entry: Entry) -> None:
        """Takes note of a trial that ended."""
        if entry["status"] != "completed":
            return
        phase, arm, score = entry["phase"], entry["arm"], entry["val_accuracy"]
        before = self._scores.get((phase, entry["trial"]))
        total, count = self._sums.get((phase, arm), (0.0, 0))
        self._scores[phase, entry["trial"]] = score
        self._sums[phase, arm] = (total + score, count + 1) if before is None else (total + score - before, count)
        heappush(self._ranked.setdefault(phase, []), (-self._mean(phase, arm), arm))

    def best(self, phase: str) -> tuple[float, str] | None:
        """Returns the best mean of a phase and its arm; None if nothing has completed there."""
        ranked = self._ranked.get(phase)
        if not ranked:
            return None
        while -ranked[0][0] != self._mean(phase, ranked[0][1]):  # a mean that its arm has no more
            heappop(ranked)
        return -ranked[0][0], ranked[0][1]

    def _mean(self, phase: str, arm: str) -> float:
        total, count = self._sums[phase, arm]
        return total / count
