"""Trials that paused: what each goes on from, kept in the run directory until it has ended for good."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from search.arms import Trial
from search.run_directory import write_atomically

FOLDER = "checkpoints"

Entry = Mapping[str, Any]


class Pauses:
    """The checkpoints of a run.

    A checkpoint that is gone or damaged costs the time that it took, and nothing else: the trial is then trained from
    its start again, to the same numbers.

    Args:
        directory: Of the run.
        entries: The record's so far.
        warn: Tells the user of a checkpoint that is of no use.
    """

    def __init__(self, directory: Path, entries: list[dict[str, Any]], warn: Callable[[str], None]) -> None:
        self._folder, self._warn = directory / FOLDER, warn
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry["event"] == "rung":
                self.reached(entry)
            elif entry["event"] == "finished":
                self.ended(entry)

    def keep(self, trial: Trial, checkpoint: bytes) -> dict[str, str]:
        """Writes a checkpoint; returns what its entry says of it."""
        self._folder.mkdir(exist_ok=True)
        write_atomically(self._path(trial.name), checkpoint)
        return {"checkpoint_sha256": hashlib.sha256(checkpoint).hexdigest()}

    def reached(self, entry: Entry) -> None:
        """Takes note of a trial that goes on from a rung."""
        self._entries[entry["trial"]] = entry

    def ended(self, entry: Entry) -> None:
        """Takes note of a trial that ended; what is only stopped may still go on."""
        if entry["status"] == "stopped":
            self.reached(entry)
        elif entry["trial"] in self._entries:
            del self._entries[entry["trial"]]
            self._path(entry["trial"]).unlink(missing_ok=True)

    def waiting(self) -> list[Entry]:
        """Returns the last entries of the trials that were to go on."""
        return [entry for entry in self._entries.values() if entry["event"] == "rung"]

    def rest(self, trial: Trial, until: int | None) -> dict[str, Any]:
        """Returns what a trial's job is to be given, beside what every job is: how far to go, and from where."""
        entry = self._entries.get(trial.name)
        if entry is None:
            return {"until": until}
        path = self._path(trial.name)
        checkpoint = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(checkpoint).hexdigest() != entry.get("checkpoint_sha256"):
            self._warn(f"the checkpoint of {trial.name} is gone or damaged: it is trained from its start again")
            return {"until": until}
        return {"until": until, "checkpoint": checkpoint, "halvings": entry.get("halvings", 0)}

    def clear(self) -> None:
        """Lets go of all checkpoints: nothing goes on any more."""
        for file in self._folder.glob("*.pt"):
            file.unlink()
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _path(self, trial: str) -> Path:
        return self._folder / f"{trial}.pt"
