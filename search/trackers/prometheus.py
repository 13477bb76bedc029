"""Prometheus: a text file for the node exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from blocks.base import Text
from search.trackers import TRACKERS, Tracker, TrackerSpec


@TRACKERS.register
class Prometheus(TrackerSpec):
    """How many trials ended how, how many run, the best validation accuracy, and how fast trials train."""

    kind: Literal["prometheus"] = "prometheus"
    file: Text = "metrics.prom"
    """Where to write, within the run directory unless it is absolute; written anew, whole, at every change."""

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        return _TextFile(directory / self.file, study["name"])


class _TextFile:
    def __init__(self, file: Path, study: str) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, write_to_textfile

        self._file, self._write, self._registry = file, write_to_textfile, CollectorRegistry()
        common: dict[str, Any] = {"namespace": "residual_search", "registry": self._registry}
        ended = Counter("trials", "Trials that ended", ["study", "phase", "status"], **common)
        running = Gauge("trials_running", "Trials in flight", ["study"], **common)
        best = Gauge("best_val_accuracy", "Best validation accuracy of a trial", ["study", "phase"], **common)
        speed = Gauge("images_per_second", "Training images a second of the last trial", ["study"], **common)
        self._study, self._ended, self._best = study, ended, best
        self._running, self._speed = running.labels(study), speed.labels(study)
        self._highest: dict[str, float] = {}

    def started(self, trial: Mapping[str, Any]) -> None:
        self._running.inc()
        self._save()

    def epoch(self, trial: str, epoch: Mapping[str, Any]) -> None:
        pass

    def finished(self, entry: Mapping[str, Any]) -> None:
        phase, accuracy = entry["phase"], entry.get("val_accuracy")
        self._running.dec()
        self._ended.labels(self._study, phase, entry["status"]).inc()
        if accuracy is not None and accuracy > self._highest.get(phase, -1.0):
            self._highest[phase] = accuracy
            self._best.labels(self._study, phase).set(accuracy)
        if entry.get("images_per_second"):
            self._speed.set(entry["images_per_second"])
        self._save()

    def end(self) -> None:
        self._running.set(0)
        self._save()

    def _save(self) -> None:
        self._write(str(self._file), self._registry)
