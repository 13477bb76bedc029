"""What a session tells its tracker, in such a way that no tracker can harm a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from search.trackers import Tracker, TrackerSpec


class Tracking:
    """Passes on what happens; a tracker that raises is told of once, and left alone from then on.

    Args:
        warn: Told, in one sentence, when a tracker is given up.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._tracker: Tracker | None = None
        self._kind = ""

    def begin(self, spec: TrackerSpec | None, study: Mapping[str, Any], directory: Path) -> None:
        """Begins, if a study asks for a tracker and it isn't there yet."""
        if spec is None or self._tracker is not None:
            return
        self._kind = spec.kind
        try:
            self._tracker = spec.begin(study, directory)
        except ImportError as error:
            self._warn(f'tracking: {spec.kind} needs its library ({error}): pip install "residual-search[tracking]"')
        except Exception as error:
            self._give_up(error)

    def started(self, trial: Mapping[str, Any]) -> None:
        """A trial was given to a worker."""
        self._tell("started", trial)

    def finished(self, entry: Mapping[str, Any]) -> None:
        """A trial ended; its epochs are told first."""
        for epoch in entry.get("epochs", ()):
            self._tell("epoch", entry["trial"], epoch)
        self._tell("finished", entry)

    def end(self) -> None:
        """The session ended."""
        self._tell("end")
        self._tracker = None

    def _tell(self, what: str, *given: Any) -> None:
        if self._tracker is None:
            return
        try:
            getattr(self._tracker, what)(*given)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._tracker = None
        self._warn(f"tracking: {self._kind} failed and is left alone: {type(error).__name__}: {error}".split("\n")[0])
