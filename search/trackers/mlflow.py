"""MLflow: a local database."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from blocks.base import Text
from search.trackers import FINAL, TRACKERS, Tracker, TrackerSpec, numbers


@TRACKERS.register
class MLflow(TrackerSpec):
    """An experiment a study, a run a trial, for ``mlflow ui --backend-store-uri sqlite:///runs/NAME/mlflow.db``."""

    kind: Literal["mlflow"] = "mlflow"
    file: Text = "mlflow.db"
    """An SQLite file, within the run directory unless it is absolute: several studies may share one."""
    experiment: Text | None = None
    """By default the study's name."""

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        return _Database((directory / self.file).resolve(), self.experiment or study["name"])


class _Database:
    def __init__(self, file: Path, experiment: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
        with _quiet():
            from mlflow import MlflowClient
            from mlflow.entities import Metric

            self._metric, self._client = Metric, MlflowClient(tracking_uri=f"sqlite:///{file}")
            found = self._client.get_experiment_by_name(experiment)
            artifacts = f"file://{file.parent / 'mlartifacts'}"
            self._experiment = found.experiment_id if found else self._client.create_experiment(experiment, artifacts)
        self._runs: dict[str, str] = {}

    def started(self, trial: Mapping[str, Any]) -> None:
        who = {name: str(trial[name]) for name in ("trial", "arm", "seed", "phase")}
        with _quiet():
            run = self._client.create_run(self._experiment, tags=who, run_name=trial["trial"])
            self._client.log_dict(run.info.run_id, trial["configuration"], "configuration.json")
        self._runs[trial["trial"]] = run.info.run_id

    def epoch(self, trial: str, epoch: Mapping[str, Any]) -> None:
        self._log(trial, numbers(epoch), epoch["epoch"])

    def finished(self, entry: Mapping[str, Any]) -> None:
        self._log(entry["trial"], {f"final_{name}": value for name, value in numbers(entry, FINAL).items()}, 0)
        with _quiet():
            run = self._runs.pop(entry["trial"])
            self._client.set_tag(run, "status", entry["status"])
            self._client.set_terminated(run, "FINISHED" if entry["status"] == "completed" else "FAILED")

    def end(self) -> None:
        for run in self._runs.values():
            with _quiet():
                self._client.set_terminated(run, "KILLED")

    def _log(self, trial: str, values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        with _quiet():
            metrics = [self._metric(name, value, now, step) for name, value in values.items()]
            self._client.log_batch(self._runs[trial], metrics)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leaves out the warnings that MLflow's own use of its libraries raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
