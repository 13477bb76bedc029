"""Trackers, one file each: they tell other tools how a study goes. Off unless a study asks; a new one is a new file.

They live in the driver and hear what the record hears. Their libraries are the extra ``tracking``, imported when a
tracker begins. None reads or writes a key, and none opens a connection: they write files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from blocks.base import Spec
from blocks.registry import Registry


class Tracker(Protocol):
    """Hears how a study goes. What it raises becomes a warning, and it is not called again."""

    def started(self, trial: Mapping[str, Any]) -> None:
        """A trial was given to a worker: its trial, arm, seed, phase, and ``configuration``."""
        ...

    def epoch(self, trial: str, epoch: Mapping[str, Any]) -> None:
        """An epoch of a trial: its columns in epochs.csv. Told when the trial has ended, before ``finished``."""
        ...

    def finished(self, entry: Mapping[str, Any]) -> None:
        """A trial ended: its entry in the record, status, reason, final accuracies and losses and all."""
        ...

    def end(self) -> None:
        """The session ended, in whatever way."""
        ...


class TrackerSpec(Spec, ABC):
    """A tracker as data."""

    kind: str

    @abstractmethod
    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        """Returns the tracker of a session.

        Args:
            study: The resolved study as plain data.
            directory: The run directory.

        Raises:
            ImportError: If its library isn't installed.
        """


TRACKERS: Registry[TrackerSpec] = Registry("tracker", "search.trackers")

FINAL = (
    "train_accuracy",
    "train_loss",
    "val_accuracy",
    "val_loss",
    "train_seconds",
    "images_per_second",
    "peak_memory",
)
"""What of a finished trial's entry is a number to be followed."""


def numbers(given: Mapping[str, Any], names: tuple[str, ...] | None = None) -> dict[str, float]:
    """Returns the finite numbers of a mapping; those with these names, if any are given."""
    return {
        name: float(value)
        for name, value in given.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and (names is None or name in names)
    }
