"""Kills the driver at every step, and at random instants, and runs the same command again: what is lost, what twice?

    python -m tests.benchmarks.faults                          # every step x 3 signals x 20, and 200 random kills
    python -m tests.benchmarks.faults --repeats 1 --random 5   # a look at it

Goal: 0 trials lost, 0 duplicated, 0 runs repaired by hand. A trial is lost if it is planned and not in the record of
the run that the second command ended; duplicated if it ended more often than it was asked for; a run is repaired by
hand if that second command, or the audit, does not exit with 0. Different are runs whose final table isn't that of the
uninterrupted one: none may be, of enumerated designs and of a search with one worker. Each kill has a run of its own;
steps are those of `tests.faults.steps`, and at which of a step's times the signal strikes is drawn.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from search.standing import Standing
from tests.faults.runs import TINY
from tests.faults.steps import STEPS
from tests.search.command import SEARCH, Process, numbers, run, write_study

SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
TIMES = {"propose": 9, "dispatch": 5, "report": 5, "record": 5, "checkpoint": 2, "export": 1, "page": 1}
"""How often an uninterrupted run comes to each step."""


@dataclass
class Tally:
    """What came of kills.

    Attributes:
        struck: Runs that the signal ended.
        bad: What to do again to see what went wrong: step, and what was not as it should be.
    """

    kills: int = 0
    struck: int = 0
    lost: int = 0
    duplicated: int = 0
    by_hand: int = 0
    different: int = 0
    bad: list[str] = field(default_factory=list)


def main() -> int:
    """Prints a table, then one JSON line; exits with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.faults")
    parser.add_argument("--repeats", type=int, default=20, help="kills at each step by each signal")
    parser.add_argument("--random", type=int, default=200, help="kills at random instants")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        rows = measure(Path(name), options, draw)
    total = Tally()
    for tally in rows.values():
        for key in ("kills", "struck", "lost", "duplicated", "by_hand", "different"):
            setattr(total, key, getattr(total, key) + getattr(tally, key))
        total.bad += tally.bad
    print(line("all", total))
    print(*total.bad, sep="\n")
    met = not (total.lost or total.duplicated or total.by_hand or total.different)
    machine = {"python": platform.python_version(), "seed": options.seed}
    print(json.dumps({"benchmark": "faults", **machine, **vars(total), "met": met}))
    return 0 if met else 1


def measure(folder: Path, options: argparse.Namespace, draw: random.Random) -> dict[str, Tally]:
    """Returns a tally for every step and signal, and one for the random kills."""
    wholes = {}
    for name, text in (("listed", TINY), ("search", SEARCH)):
        (folder / name).mkdir()
        write_study(folder / name, text)
        began = time.monotonic()
        wholes[name] = (only_run(folder / name, run(folder / name, "study.yaml", "--inline").returncode), text)
        seconds = time.monotonic() - began
        print(f"{name}: {len(numbers(wholes[name][0]))} trials, {seconds:.1f} s uninterrupted", flush=True)
    print(f"{'':22}{'kills':>7}{'struck':>8}{'lost':>7}{'twice':>7}{'by hand':>9}{'different':>11}", flush=True)
    rows: dict[str, Tally] = {}
    for step in STEPS:
        for signal in SIGNALS:
            rows[f"{step} {signal}"] = tally = Tally()
            for _ in range(options.repeats):
                which = "search" if step == "propose" else "listed"
                told = f"{step}:{draw.randint(1, TIMES[step])}:{signal}"
                one(folder, wholes[which], tally, told, None)
            print(line(f"{step} {signal}", tally), flush=True)
    rows["random SIGKILL"] = tally = Tally()
    for number in range(options.random):
        which = "search" if number % 2 else "listed"
        one(folder, wholes[which], tally, "", draw.uniform(0, 1.1 * seconds))
    print(line("random SIGKILL", tally), flush=True)
    return rows


def one(folder: Path, whole: tuple[Path, str], tally: Tally, step: str, instant: float | None) -> None:
    """Kills one run at a step, or after so many seconds; runs it again, and looks at what came of it."""
    place = folder / "killed"
    place.mkdir()
    write_study(place, whole[1])
    process = Process(place, "study.yaml", "--inline", step=step)
    if instant is not None:
        deadline = time.monotonic() + instant
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        if process.returncode is None:
            process.send_signal(9)
    code = process.returncode if process.returncode is not None else process.wait().returncode
    again = run(place, "study.yaml", "--inline")
    told = step or f"after {instant:.3f} s"
    tally.kills += 1
    tally.struck += code != 0
    judge(place, whole[0], again.returncode, tally, told)
    shutil.rmtree(place)


def judge(place: Path, whole: Path, code: int, tally: Tally, told: str) -> None:
    directory = only_run(place, 0)
    standing = Standing.read(directory)
    lost, twice = sum(len(phase.missing) for phase in standing.phases), len(standing.twice)
    audit = run(place, str(directory), module="search.audit")
    by_hand = bool(code or audit.returncode)
    different = Counter(numbers(directory)) != Counter(numbers(whole)) or numbers(directory) != numbers(whole)
    tally.lost, tally.duplicated = tally.lost + lost, tally.duplicated + twice
    tally.by_hand, tally.different = tally.by_hand + by_hand, tally.different + different
    if lost or twice or by_hand or different:
        tally.bad.append(f"{told}: exit code {code}, audit {audit.returncode}: {audit.stdout}")


def only_run(folder: Path, code: int) -> Path:
    """Returns the run directory in a folder."""
    assert code == 0
    (directory,) = (folder / "runs").iterdir()
    return directory


def line(name: str, tally: Tally) -> str:
    return (
        f"{name:22}{tally.kills:7}{tally.struck:8}{tally.lost:7}{tally.duplicated:7}{tally.by_hand:9}"
        f"{tally.different:11}"
    )


if __name__ == "__main__":
    sys.exit(main())
