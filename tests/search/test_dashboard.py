"""A run mirrored into an Optuna journal, while it goes on."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
import pytest

from search.dashboard import Mirror
from search.record import Record
from tests.search.command import run


def end(record: Record, trial: str, value: float | None, **more: Any) -> None:
    """Records the end of a trial."""
    status = "diverged" if value is None else "completed"
    epochs = [{"epoch": 1, "val_accuracy": value}] if value is not None else []
    arm, _, seed = trial.partition("-s")
    who = {"trial": trial, "arm": arm, "seed": int(seed), "phase": "explore"}
    record.append("finished", **who, status=status, reason="", val_accuracy=value, epochs=epochs, **more)


def trials(journal: Path) -> list[optuna.trial.FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    return optuna.load_study(study_name="tiny, explore", storage=optuna.storages.JournalStorage(backend)).trials


def test_what_the_record_has_is_mirrored_and_followed(tmp_path: Path) -> None:
    run_directory, journal = tmp_path / "run", tmp_path / "journal.log"
    with Record(run_directory) as record:
        record.append("session", study={"name": "tiny"}, command="", time="2026-01-01T00:00:00Z")
        record.append("planned", phase="explore", arms=["base"], seeds=[0], labels={"base": "baseline"}, trials=3)
        end(record, "base-s0", 0.5)
        mirror = Mirror(run_directory, journal)
        mirror.follow()
        assert [trial.params for trial in trials(journal)] == [{"arm": "baseline"}]
        record.append("arm", arm="other", label="lr=0.3, block=se", choice={"lr": 0.3, "block": "se"})
        end(record, "other-s0", 0.75)
        end(record, "third-s0", None)
        mirror.follow()
        mirror.follow()
    found = trials(journal)
    assert [trial.value for trial in found] == [0.5, 0.75, None]
    assert found[1].params == {"lr": 0.3, "block": "se"}
    assert found[1].user_attrs["trial"] == "other-s0"
    assert found[1].intermediate_values == {1: 0.75}
    assert found[2].state == optuna.trial.TrialState.FAIL
    assert sorted(path.name for path in run_directory.iterdir()) == [".lock", "trials.jsonl"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("optuna_dashboard") is None, reason="needs the extra `dashboard`")
def test_one_command_shows_it_on_this_machine_alone(tmp_path: Path) -> None:
    with Record(tmp_path) as record:
        record.append("session", study={"name": "tiny"}, command="", time="2026-01-01T00:00:00Z")
        end(record, "base-s0", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "search.dashboard", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        said, deadline = "", time.monotonic() + 60
        while "tiny, explore" not in said and time.monotonic() < deadline:
            time.sleep(0.5)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5) as answer:
                    said = answer.read().decode()
            except OSError:
                continue
        assert "tiny, explore" in said
    finally:
        process.terminate()
        process.wait(20)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    for module in ("search.dashboard", "search.status", "search.audit"):
        done = run(tmp_path, str(tmp_path), module=module)
        assert done.returncode == 2
        assert "no run directory: there is no trials.jsonl" in done.stderr
