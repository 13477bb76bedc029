"""Where a run stands, read off its record alone: no plan is made again, and neither data nor torch are needed.

So it works beside a running driver, on a copy, and on a machine that has nothing but Python.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from search.record import OPENED_BESIDE
from search.record_lines import Scan, scan
from search.run_directory import command, holder

PHASES = ("tune", "explore", "random", "fidelity", "confirm")
"""In their order."""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Phase:
    """One phase as far as it is planned.

    Attributes:
        total: Its trials; of a search also those whose arms aren't proposed yet.
        trials: The names of those that are known.
        missing: The names of those that have not ended.
    """

    name: str
    total: int
    trials: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def done(self) -> int:
        """How many have ended."""
        return len(self.trials) - len(self.missing)


@dataclass(frozen=True)
class Standing:
    """What a run's record says.

    Attributes:
        holder: The process that runs it now, in words; None if none does.
    """

    directory: Path
    scan: Scan
    holder: str | None

    @classmethod
    def read(cls, directory: Path) -> Standing:
        """Reads a run directory. Raises ``RunDirectoryError`` if its record can't be read."""
        held = holder(directory)  # asked first: what is started after that is in the record
        return cls(directory, scan(directory / "trials.jsonl"), held)

    @property
    def entries(self) -> list[Entry]:
        """The entries of all lines that are whole, in order."""
        return self.scan.entries

    @cached_property
    def session(self) -> Entry | None:
        """The last session's entry."""
        return self.last("session")

    def last(self, event: str, **fields: Any) -> Entry | None:
        """Returns the last entry of an event, with these values; None if there is none."""
        return next((entry for entry in reversed(list(self.of(event))) if fields.items() <= entry.items()), None)

    def of(self, event: str) -> Iterator[Entry]:
        """Yields the entries of an event, in order."""
        return (entry for entry in self.entries if entry["event"] == event)

    @cached_property
    def finished(self) -> dict[str, Entry]:
        """The last entry of every trial that ended, by the trial's name."""
        return {entry["trial"]: entry for entry in self.of("finished")}

    @cached_property
    def twice(self) -> list[str]:
        """The trials that ended more often than they were asked for: once, and once more for each ``--only``."""
        ends = Counter(entry["trial"] for entry in self.of("finished"))
        asked = Counter(entry["trial"] for entry in self.of("again"))
        return [trial for trial, times in ends.items() if times > 1 + asked[trial]]

    @cached_property
    def running(self) -> dict[str, Entry]:
        """The entries of the trials that the last session started and that have not ended, by the trial's name."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            if entry["event"] in ("session", "ended"):
                found = {}
            elif entry["event"] == "started":
                found[entry["trial"]] = entry
            elif entry["event"] in ("finished", "rung"):
                found.pop(entry["trial"], None)
        return found

    @cached_property
    def phases(self) -> list[Phase]:
        """The phases that are planned so far."""
        planned = {entry["phase"]: entry for entry in self.of("planned")}
        return [self._phase(planned[name]) for name in PHASES if name in planned]

    @cached_property
    def earlier(self) -> list[str]:
        """The trials that ended and are no longer planned: of finalists, or samples, that others took the place of."""
        planned = {trial for phase in self.phases for trial in phase.trials}
        return [trial for trial in self.finished if trial not in planned]

    @property
    def ended(self) -> bool:
        """Whether the last session came to its end."""
        if self.session is None:
            return False
        left_by_only = ("warning", "again", "started", "finished", "sanity", "written")
        silent = (*left_by_only, OPENED_BESIDE)
        loud = (entry for entry in reversed(self.entries) if entry["event"] not in silent and not entry.get("only"))
        return next((entry["event"] for entry in loud), "") == "ended"

    @cached_property
    def labels(self) -> dict[str, str]:
        """What arms are called."""
        found = {arm: label for entry in self.of("planned") for arm, label in entry.get("labels", {}).items()}
        return found | {entry["arm"]: entry["label"] for entry in self.of("arm") if "label" in entry}

    @property
    def resume(self) -> str:
        """The command that goes on with the run: the last session's, without what starts again or runs one trial."""
        given = shlex.split(self.session["command"]) if self.session else []
        kept, skip = [], False
        for word in given[3:]:
            if not skip and word != "--fresh" and not word.startswith("--only"):
                kept.append(word)
            skip = word == "--only"
        return command("search.run", *(kept or [str(self.directory / "study.yaml"), "--out", str(self.directory)]))

    def _phase(self, planned: Entry) -> Phase:
        if "budget" in planned:
            return self._open_ended(planned)
        arms = list(planned["arms"])
        total = planned.get("trials")
        if total is not None:  # a search: its arms are proposed on the way
            arms = list(dict.fromkeys([*arms, *(entry["arm"] for entry in self.of("arm"))]))
            exhausted = self.last("exhausted")
            total = len(arms) * len(planned["seeds"]) if exhausted and exhausted["arms"] == len(arms) else total
        trials = tuple(f"{arm}-s{seed}" for seed in planned["seeds"] for arm in arms)
        missing = tuple(trial for trial in trials if trial not in self.finished)
        return Phase(planned["phase"], len(trials) if total is None else total, trials, missing)

    def _open_ended(self, planned: Entry) -> Phase:
        """Returns a phase whose trials show only on the way: those that were begun, and all once it has ended."""
        begun = dict.fromkeys(entry["trial"] for entry in self.of("started") if entry["phase"] == planned["phase"])
        missing = tuple(trial for trial in begun if trial not in self.finished)
        explored = self.last("explored", budget=planned["budget"])
        total = explored["trials"] if explored else planned.get("trials") or 0
        return Phase(planned["phase"], max(total, len(begun)), tuple(begun), missing)
