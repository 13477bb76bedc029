"""The real command line in real processes, on studies small enough for a test."""

from __future__ import annotations

import atexit
import csv
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
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
    """Runs a command in a folder to its end, in a process of its own; one that starts Ray imports all anew."""
    if module == "search.run" and not {"--inline", "--dry-run", "--help"} & set(arguments):
        return run_alone(folder, *arguments, module=module, timeout=timeout)
    return Process(folder, *arguments, module=module).wait(timeout)


def run_alone(folder: Path, *arguments: str, module: str = "search.run", timeout: float = 200) -> Done:
    """Runs a command in a folder to its end, by an interpreter of its own."""
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)


class Process:
    """A real process of a command, in a session of its own, that need not wait for imports.

    Args:
        step: Where a signal strikes it: see ``tests.faults.steps``.

    Attributes:
        seconds: Of a CPU that it used, once it has ended.
        bytes: That it held at most; those of the imports that it was forked with are among them.
    """

    def __init__(self, folder: Path, *arguments: str, module: str = "search.run", step: str = "") -> None:
        self._said = Path(tempfile.mkdtemp(prefix="said-")) / "said"
        given = {"module": module, "arguments": arguments, "folder": str(folder), "said": str(self._said), "step": step}
        self.arguments = [module, *arguments]
        self.pid = int(_ask({"start": given}))
        self.returncode: int | None = None
        self.seconds, self.bytes = 0.0, 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Returns the exit code once the process has ended, or None."""
        if self.returncode is None and _state(self.pid) == "Z":
            self.wait()
        return self.returncode

    def wait(self, timeout: float = 200) -> Done:
        """Waits for the end; returns the exit code and what was said. Kills the process when the time is over."""
        deadline = time.monotonic() + timeout
        while _state(self.pid) != "Z":
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(f"{self.arguments} took longer than {timeout} s:\n{self._read('err')}")
            time.sleep(0.005)
        code, seconds, held = _ask({"wait": self.pid}).split()
        self.returncode, self.seconds, self.bytes = int(code), float(seconds), int(held)
        done = Done(self.arguments, self.returncode, self._read("out"), self._read("err"))
        shutil.rmtree(self._said.parent)
        return done

    def _read(self, name: str) -> str:
        return self._said.with_suffix(f".{name}").read_text()


def _state(number: int) -> str:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError as error:
        raise ProcessLookupError(f"the process {number} is gone") from error


def _ask(request: dict[str, Any]) -> str:
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return server.stdout.readline()


@functools.cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.search.server"]
    root = Path(__file__).parents[2]
    server = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    atexit.register(server.stdin.close)  # it ends with its input
    return server


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
