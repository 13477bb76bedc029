"""Trackers through the real command line and their real libraries, read back by these; all of it in local files."""

from __future__ import annotations

import json
import socket
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from blocks.source import InputError
from search.trackers import TRACKERS, Tracker, TrackerSpec, numbers
from search.tracking import Tracking
from tests.search.command import rows, write_study
from tests.search.conftest import Command
from tests.search.studies import study

STUDY = """\
# Does a wider expansion help?
name: tiny
data: {{kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}}
network:
  stem: {{kind: conv3x3, width: 4}}
  stages: [{{block: basic, depth: 1, width: 4}}]
train: {{epochs: 2, batch_size: 16, optimizer: {{kind: sgd, lr: 0.1}}}}
design: train
confirm: {{seeds: 2}}
tracking: {tracking}
"""

Followed = tuple[Path, list[dict[str, str]], list[dict[str, str]]]


@pytest.fixture
def followed(inline: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Followed]:
    """Runs the study with a tracker; returns the run directory and the rows of results.csv and epochs.csv."""

    def run(tracking: str) -> Followed:
        for name in ("WANDB_API_KEY", "MLFLOW_TRACKING_URI"):
            monkeypatch.delenv(name, raising=False)
        assert inline(str(write_study(tmp_path, STUDY.format(tracking=tracking)))) == 0
        directory = tmp_path / "runs" / "tiny"
        assert not [line for line in (directory / "log.jsonl").read_text().splitlines() if '"warning"' in line]
        return directory, rows(directory / "results.csv"), rows(directory / "epochs.csv")

    return run


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def only_here(own: socket.socket, address: Any) -> None:
        if own.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a tracker opened a connection to {address}")
        connect(own, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.mark.slow
def test_tensorboard(followed: Callable[[str], Followed], no_network: None) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    directory, results, epochs = followed("tensorboard")
    for trial in results:
        events = EventAccumulator(str(directory / "tensorboard" / trial["trial"]))
        events.Reload()
        own = [epoch for epoch in epochs if epoch["trial"] == trial["trial"]]
        for name in ("val_accuracy", "train_loss", "lr"):
            found = [(event.step, event.value) for event in events.Scalars(name)]
            assert found == [(int(epoch["epoch"]), pytest.approx(float(epoch[name]))) for epoch in own]


@pytest.mark.slow
def test_mlflow(followed: Callable[[str], Followed], no_network: None) -> None:
    directory, results, epochs = followed("mlflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's use of its own libraries
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{directory / 'mlflow.db'}")
        (experiment,) = client.search_experiments(filter_string="name = 'tiny'")
        runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
        assert runs.keys() == {trial["trial"] for trial in results}
        for trial in results:
            run = runs[trial["trial"]]
            assert run.info.status == "FINISHED"
            assert (run.data.tags["arm"], run.data.tags["seed"]) == (trial["arm"], trial["seed"])
            history = client.get_metric_history(run.info.run_id, "val_accuracy")
            own = [float(epoch["val_accuracy"]) for epoch in epochs if epoch["trial"] == trial["trial"]]
            assert [metric.value for metric in sorted(history, key=lambda metric: metric.step)] == own


def logged(path: Path) -> Iterator[Any]:
    """Yields the records of a W&B log: chunks in LevelDB's format, in blocks of 32 KiB, behind 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, record = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last of its chunks
            yield Record.FromString(record)
            record = b""


@pytest.mark.slow
def test_weights_and_biases(followed: Callable[[str], Followed]) -> None:
    directory, results, epochs = followed("wandb")
    found: dict[str, list[float]] = {}
    for path in directory.glob("wandb/offline-run-*/run-*.wandb"):
        records = list(logged(path))
        (name,) = {record.run.display_name for record in records if record.HasField("run")}
        items = [item for record in records for item in record.history.item]
        keys = [item.key or "/".join(item.nested_key) for item in items]
        found[name] = [
            json.loads(item.value_json) for item, key in zip(items, keys, strict=True) if key == "val_accuracy"
        ]
    expected: dict[str, list[float]] = {trial["trial"]: [] for trial in results}
    for epoch in epochs:
        expected[epoch["trial"]].append(float(epoch["val_accuracy"]))
    assert found == expected


def test_prometheus(followed: Callable[[str], Followed], no_network: None) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    directory, results, _ = followed("{kind: prometheus, file: study.prom}")
    text = (directory / "study.prom").read_text()
    samples = {
        (sample.name, sample.labels.get("phase", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["residual_search_trials_total", "confirm"] == len(results)
    assert samples["residual_search_trials_running", ""] == 0
    best = max(float(trial["val_accuracy"]) for trial in results)
    assert samples["residual_search_best_val_accuracy", "confirm"] == best


class Breaks:
    """A tracker that raises whenever it is told anything."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def fail(*given: Any) -> None:
            raise OSError("no room\nfor a second line")

        return fail


class Broken(TrackerSpec):
    kind: Literal["broken"] = "broken"

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        return Breaks()


class Missing(TrackerSpec):
    kind: Literal["missing"] = "missing"

    def begin(self, study: Mapping[str, Any], directory: Path) -> Tracker:
        raise ModuleNotFoundError("No module named 'missing'")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (Broken(), "tracking: broken failed and is left alone: OSError: no room"),
        (
            Missing(),
            "tracking: missing needs its library (No module named 'missing'): "
            'pip install "residual-search[tracking]"',
        ),
    ],
)
def test_a_tracker_that_fails_is_told_of_once_and_harms_nothing(spec: TrackerSpec, said: str, tmp_path: Path) -> None:
    warned: list[str] = []
    tracking = Tracking(warned.append)
    tracking.begin(spec, {"name": "tiny"}, tmp_path)
    tracking.started({"trial": "a"})
    tracking.finished({"trial": "a", "epochs": [{"epoch": 1}]})
    tracking.end()
    assert warned == [said]


def test_trackers_are_off_unless_asked_for_and_unknown_ones_are_refused() -> None:
    assert study().spec.tracking is None
    assert set(TRACKERS.kinds()) == {"tensorboard", "wandb", "mlflow", "prometheus"}
    with pytest.raises(InputError, match=r"unknown tracker 'tensorbord'.*did you mean 'tensorboard'"):
        study("tracking: tensorbord")


def test_what_is_no_number_is_not_followed() -> None:
    given = {"a": 1, "b": 0.5, "c": None, "d": "x", "e": True}
    assert numbers(given) == {"a": 1.0, "b": 0.5}
    assert numbers(given, ("b", "c")) == {"b": 0.5}
