"""The real command line in real processes, on studies small enough for a test."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from search.record import read

STUDY = """\
# Does a wider expansion help?
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
network:
  stem: {kind: conv3x3, width: 4}
  stages:
    - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 8}
    - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 16, stride: 2}
train: {epochs: 2, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors:
  expansion: {path: "network.stages[*].block.expansion", levels: [1, 6]}
design: {kind: one_at_a_time, seeds: 2, match: {cost: macs, tolerance: 0.08}}
confirm: {finalists: 1, seeds: 2}
"""

SEARCH = """\
name: tiny_search
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
network:
  stem: {kind: conv3x3, width: 4}
  stages:
    - {block: basic, depth: 1, width: 4}
    - {block: basic, depth: 1, width: 8, stride: 2}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors:
  depth: {path: "network.stages[each].depth", range: {low: 1, high: 3}}
  width: {path: "network.stages[*].width", levels: {scale: [0.5, 1, 2]}}
design: {kind: search, trials: 10, sampler: tpe, startup: 4, objectives: [val_accuracy, macs]}
confirm: {finalists: 2, seeds: 2}
"""

Done = subprocess.CompletedProcess[str]


def write_study(folder: Path, text: str = STUDY, name: str = "study.yaml") -> Path:
    """Writes a study file into a folder."""
    path = folder / name
    path.write_text(text)
    return path


def run(folder: Path, *arguments: str, module: str = "search.run", timeout: float = 200) -> Done:
    """Runs a command in a folder to its end."""
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)


def rows(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def numbers(run_directory: Path) -> dict[str, tuple[str, ...]]:
    """Returns what every trial measured, by its name, without what depends on the machine's speed."""
    columns = ("phase", "status", "train_accuracy", "train_loss", "val_accuracy", "val_loss", "test_accuracy", "macs")
    return {row["trial"]: tuple(row[column] for column in columns) for row in rows(run_directory / "results.csv")}


def finished(run_directory: Path) -> list[str]:
    """Returns the names of the trials that the record says are finished, as often as it says so."""
    entries: list[dict[str, Any]] = read(run_directory / "trials.jsonl")[0]
    return [entry["trial"] for entry in entries if entry["event"] == "finished"]


def arms(run_directory: Path) -> dict[str, Any]:
    """Returns the content of arms.json."""
    content: dict[str, Any] = json.loads((run_directory / "arms.json").read_text())
    return content
