"""A run of ten thousand trials is resumed as quickly as a small one."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from search.environment import environment
from search.plan import Plan
from search.record_lines import record_of
from search.study import load_study
from tests.faults.runs import count, wait_until
from tests.search.command import Process, run, write_study

STUDY = """\
name: many
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
network:
  stem: {kind: conv3x3, width: 4}
  stages: [{block: basic, depth: 1, width: 8}]
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors: {lr: {path: "train.optimizer.lr", levels: [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]}}
design: {kind: one_at_a_time, seeds: 1000}
confirm: {finalists: 1, seeds: 2}
"""


def entries(path: Path) -> list[dict[str, Any]]:
    """Returns the record of the study all of whose explore trials have ended, as their driver would have left it."""
    study = load_study(path)
    plan = Plan(study)
    epoch = {"epoch": 1, "train_loss": 1.2345678, "train_accuracy": 0.5, "val_loss": 1.2345678, "val_top5": 1.0}
    end = {"status": "completed", "reason": "", "train_seconds": 1.5, "val_loss": 1.2, "correct": "A" * 44}
    data = {"checksum": "0" * 64, "kind": "synthetic", "train": 96, "validation": 32, "test": 32, "classes": []}
    session = {"time": "2026-01-01T00:00:00Z", "study": study.spec.plain(), "environment": environment(), "data": data}
    found: list[dict[str, Any]] = [
        {"event": "session", **session, "engine": "ray", "workers": 16, "command": "python -m search.run study.yaml"}
    ]
    for number, trial in enumerate(plan.explore_trials()):
        who = {"trial": trial.name, "arm": trial.arm, "seed": trial.seed, "phase": "explore"}
        found.append({"event": "started", **who, "elapsed": float(number)})
        value = 0.5 + number % 97 / 1000
        epochs = [{**epoch, "epoch": each, "val_accuracy": value, "lr": 0.1, "seconds": 0.1} for each in range(1, 11)]
        found.append(
            {"event": "finished", "elapsed": number + 1.0, **who, "val_accuracy": value, **end, "epochs": epochs}
        )
    return found


def used(process: Process) -> tuple[float, float]:
    """Returns the seconds of a CPU that a process has used, and the MiB that it holds."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    ticks, pages = sum(map(int, fields[11:13])), int(fields[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def begun(folder: Path) -> tuple[float, float]:
    """Starts a study, and returns what it has used when its first trial starts."""
    record = folder / "runs" / "many"
    before = count(record, "started")
    process = Process(folder, "study.yaml", "--inline", step="dispatch:1:SIGSTOP")
    wait_until(lambda: count(record, "started") > before, 100)
    found = used(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return found


@pytest.mark.slow
def test_f11_ten_thousand_finished_trials_are_resumed_within_five_seconds(tmp_path: Path) -> None:
    for name in ("small", "large"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, STUDY)
    fresh = begun(tmp_path / "small")
    record = tmp_path / "large" / "runs" / "many"
    record.mkdir(parents=True)
    (record / "trials.jsonl").write_bytes(record_of(entries(tmp_path / "large" / "study.yaml")))
    resumed = begun(tmp_path / "large")
    assert resumed[0] < 5
    assert resumed[1] - fresh[1] < 200
    assert run(tmp_path, str(record), module="search.status").stdout.startswith("many: not running")
