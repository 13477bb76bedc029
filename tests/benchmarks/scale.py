"""Ten thousand one-second trials on a pretended cluster of 16 slots, and a run of a hundred thousand rows.

    python -m tests.benchmarks.scale                                 # about 11 minutes
    python -m tests.benchmarks.scale --trials 320 --rows 10000       # a look at it

The trials sleep, so that two cores can pretend to be 16; all else is real: plan, session, record on disk, Ray. Goals:
at most 1.2 times the ideal (trials / 16 seconds, from when the first one ran); the driver's memory flat: at most 50 MiB
more at the end than at a tenth of the trials; 100,000 rows are still opened: resumed, told by `search.status`, and made
into tables and a page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import reports
from blocks.source import parse_yaml
from search.cluster import OnRay
from search.interrupts import Interrupts
from search.local_ray import LocalRay
from search.outputs import write_outputs
from search.plan import Plan
from search.progress import Talk
from search.record import Record
from search.record_lines import record_of
from search.session import Session
from search.shelf import Shelf
from search.standing import Standing
from search.status import lines
from search.study import RaySpec, load_study, resolve_study
from search.trial import Job
from tests.faults.test_many_trials import STUDY as MANY
from tests.faults.test_many_trials import entries

SLOTS, GOAL_RATIO, GOAL_GROWTH = 16, 1.2, 50.0
STUDY = MANY.replace("name: many", "name: scale")


def main() -> int:
    """Prints what was measured, then one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a trial")
    options = parser.parse_args()
    # Ray's processes may still write their last words there.
    with tempfile.TemporaryDirectory(prefix="scale-", ignore_cleanup_errors=True) as name:
        os.environ["RAY_TMPDIR"] = name
        found = {**trials(options, Path(name) / "trials"), **rows(options, Path(name) / "rows")}
    found["met"] = found["ratio"] <= GOAL_RATIO and found["growth_mib"] <= GOAL_GROWTH
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": "scale", **machine, **found}))
    return 0 if found["met"] else 1


class Watched(Record):
    """The record as it is, that notes when trials ended, and what the driver held then."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.begun = 0.0
        self.ends: list[tuple[float, float]] = []

    def append(self, event: str, **fields: Any) -> dict[str, Any]:
        if event == "started" and not self.begun:
            self.begun = monotonic()
        entry = super().append(event, **fields)
        if event == "finished" and fields["phase"] == "explore":
            self.ends.append((monotonic(), held()))
        return entry


def trials(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Runs the trials; returns how long they took, and what the driver held."""
    seeds = max(1, options.trials // 10)
    plan = Plan(resolve_study(parse_yaml(STUDY.replace("seeds: 1000", f"seeds: {seeds}"), "scale.yaml")))
    process, shelf = LocalRay(None, SLOTS), Shelf()
    try:
        executor = OnRay(
            process,
            lambda job: shelf.splits(job.configuration["data"]),
            data_of=lambda job: "",
            workers=SLOTS,
            threads=1,
            asked=RaySpec(gpus=0.0),
            runner=Sleeps(options.seconds),
        )
        with Watched(folder) as record:
            Session(plan, folder, record, lambda: executor, Talk(), shelf, Interrupts()).run()
    finally:
        process.close()
    first = min(record.ends)[0] - options.seconds  # until then workers start, which no number of trials changes
    count, took = len(record.ends), record.ends[-1][0] - first
    ideal = -(-count // SLOTS) * options.seconds
    growth = record.ends[-1][1] - record.ends[count // 10][1]
    entry_mib = len(record_of(record.entries)) / 2**20
    print(
        f"{count:,} trials of {options.seconds:g} s on {SLOTS} slots: {took:.1f} s, {took / ideal:.3f} times the ideal"
    )
    print(f"until the first trial ran: {first - record.begun:.1f} s")
    print(f"the driver held {record.ends[-1][1]:,.0f} MiB, {growth:.1f} more than at a tenth")
    print(f"the record's text is {entry_mib:.1f} MiB")
    return {"trials": count, "seconds": took, "ratio": took / ideal, "growth_mib": growth, "record_mib": entry_mib}


class Sleeps:
    """A runner: a trial takes so long, and nothing else."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, job: Job, splits: Any, device: str) -> dict[str, Any]:
        if job.keep_weights:  # nothing is confirmed, so that the test split stays sealed
            return {"status": "stopped", "reason": "this benchmark explores only", "epochs": []}
        sleep(self.seconds)
        epoch = {"epoch": 1, "train_loss": 1.2, "train_accuracy": 0.5, "val_loss": 1.2, "val_accuracy": 0.5, "lr": 0.1}
        return {"status": "completed", "reason": "", "epochs": [epoch], "train_seconds": self.seconds}


def rows(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Makes a run of so many rows, and opens it in every way."""
    folder.mkdir()
    levels = [round(0.001 * number, 4) for number in range(1, max(2, options.rows // 999))]
    text = MANY.replace("[0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]", json.dumps(levels))
    (folder / "study.yaml").write_text(text.replace("seeds: 1000", "seeds: 999"))
    made = entries(folder / "study.yaml")
    (folder / "trials.jsonl").write_bytes(record_of(made))
    plan = Plan(load_study(folder / "study.yaml"))
    before = held()
    standing = timed("read", lambda: Standing.read(folder))
    said = timed("status", lambda: list(lines(standing[1], datetime.now(UTC))))
    resumed = timed("resume", lambda: opened(plan, folder))
    tables = timed("tables", lambda: write_outputs(folder, plan, made))
    environment = {**made[0]["environment"], "data": made[0]["data"], "seeds": {"explore": [], "confirm": []}}
    environment |= {"planned": {"trials": 0, "by_phase": {}}, "sessions": [], "warnings": [], "wall_seconds": 1.0}
    environment |= {"command": "", "engine": "ray", "workers": 1, "threads": 1, "measured": {}, "varied": []}
    (folder / "environment.json").write_text(json.dumps(environment))
    page = timed("page", lambda: reports.build(folder))
    size = (folder / "report.html").stat().st_size / 1e6
    count = len(standing[1].finished)
    print(f"{count:,} rows; the page is {size:.1f} MB; held {held() - before:,.0f} MiB more than before")
    steps = {"read": standing, "status": said, "resume": resumed, "tables": tables, "page": page}
    return {"rows": count, **{f"{name}_seconds": step[0] for name, step in steps.items()}}


def opened(plan: Plan, folder: Path) -> None:
    with Record(folder) as record:
        made = Session(plan, folder, record, _none, Talk(quiet=True), Shelf(), Interrupts())
        assert made._explore_queue().next() is None


def _none() -> Any:
    raise AssertionError("there is nothing left to run")


def timed(name: str, step: Callable[[], Any]) -> tuple[float, Any]:
    began = monotonic()
    found = step()
    seconds = monotonic() - began
    print(f"  {name}: {seconds:.1f} s", flush=True)
    return seconds, found


def held() -> float:
    """Returns the MiB that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
