"""TensorBoard: event files, a folder a trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from blocks.base import Text
from search.trackers import TRACKERS, Tracker, TrackerSpec, numbers


@TRACKERS.register
class TensorBoard(TrackerSpec):
    """Scalars of every epoch, for ``tensorboard --logdir runs/NAME/tensorboard``."""

    kind: Literal["tensorboard"] = "tensorboard"
    folder: Text = "tensorboard"
    """Where to write, within the run directory unless it is absolute."""

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        return _Events(directory / self.folder)


class _Events:
    """Writes by tensorboard's own writer: torch's would bring torch into the driver."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._folder, self._event, self._summary, self._writer = folder, Event, Summary, EventFileWriter
        self._open: dict[str, Any] = {}

    def started(self, trial: Mapping[str, Any]) -> None:
        pass

    def epoch(self, trial: str, epoch: Mapping[str, Any]) -> None:
        if trial not in self._open:
            self._open[trial] = self._writer(str(self._folder / trial))
        values = [
            self._summary.Value(tag=name, simple_value=value)
            for name, value in numbers(epoch).items()
            if name not in ("epoch", "seed")
        ]
        event = self._event(wall_time=time.time(), step=epoch["epoch"], summary=self._summary(value=values))
        self._open[trial].add_event(event)

    def finished(self, entry: Mapping[str, Any]) -> None:
        writer = self._open.pop(entry["trial"], None)
        if writer is not None:
            writer.close()

    def end(self) -> None:
        for writer in self._open.values():
            writer.close()
