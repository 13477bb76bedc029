"""Which arm leads each phase, kept up to date: a scan of all trials at every end would take ever longer."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

Entry = Mapping[str, Any]


class Leaders:
    """The means of the trials that completed, by phase and arm; a trial that was run again counts once."""

    def __init__(self) -> None:
        self._scores: dict[tuple[str, str], dict[str, float]] = {}
        self._best: dict[str, tuple[float, str]] = {}

    def add(self, entry: Entry) -> None:
        """Takes note of a trial that ended."""
        if entry["status"] != "completed":
            return
        phase, arm = entry["phase"], entry["arm"]
        scores = self._scores.setdefault((phase, arm), {})
        scores[entry["trial"]] = entry["val_accuracy"]
        mean, leader = fmean(scores.values()), self._best.get(phase)
        if leader is not None and leader[1] == arm and mean < leader[0]:  # the leader fell back
            others = ((fmean(found.values()), arm) for (of, arm), found in self._scores.items() if of == phase)
            self._best[phase] = max(others)
        elif leader is None or mean >= leader[0]:
            self._best[phase] = mean, arm

    def best(self, phase: str) -> tuple[float, str] | None:
        """Returns the best mean of a phase and its arm; None if nothing has completed there."""
        return self._best.get(phase)
