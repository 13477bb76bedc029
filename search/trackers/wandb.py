"""Weights & Biases, offline: files that ``wandb sync`` uploads when its user says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from blocks.base import Text
from search.trackers import FINAL, TRACKERS, Tracker, TrackerSpec, numbers


@TRACKERS.register
class WeightsAndBiases(TrackerSpec):
    """A run a trial, grouped by arm, written to ``wandb/`` in the run directory; nothing is sent."""

    kind: Literal["wandb"] = "wandb"
    project: Text | None = None
    """By default the study's name."""

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        return _Offline(self.project or study["name"], directory)


class _Offline:
    def __init__(self, project: str, directory: Path) -> None:
        import wandb

        self._wandb, self._project, self._directory = wandb, project, directory
        self._configurations: dict[str, Any] = {}
        self._epochs: dict[str, list[Mapping[str, Any]]] = {}

    def started(self, trial: Mapping[str, Any]) -> None:
        self._configurations[trial["trial"]] = trial["configuration"]

    def epoch(self, trial: str, epoch: Mapping[str, Any]) -> None:
        self._epochs.setdefault(trial, []).append(epoch)

    def finished(self, entry: Mapping[str, Any]) -> None:
        name = entry["trial"]
        settings = self._wandb.Settings(
            console="off", silent=True, disable_git=True, save_code=False, x_disable_stats=True, x_disable_meta=True
        )
        run = self._wandb.init(
            mode="offline",
            project=self._project,
            name=name,
            group=entry["arm"],
            job_type=entry["phase"],
            dir=str(self._directory),
            config={**self._configurations.pop(name, {}), "arm": entry["arm"], "seed": entry["seed"]},
            reinit="create_new",
            settings=settings,
        )
        for epoch in self._epochs.pop(name, []):
            run.log(numbers(epoch), step=epoch["epoch"])
        run.summary.update({"status": entry["status"], "reason": entry["reason"], **numbers(entry, FINAL)})
        run.finish(exit_code=0 if entry["status"] == "completed" else 1)

    def end(self) -> None:
        self._wandb.teardown()
