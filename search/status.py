"""How a run is going: ``python -m search.status RUN_DIR``, from another shell, also of a copy. Reads files only.

Exit codes: 0; 2 this is no run directory; 5 its record can't be read.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a user's random.py in the working directory would shadow the library's

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

from search.run_directory import RunDirectoryError
from search.standing import PHASES, Standing

WIDTH = 80
SHOWN = 8
"""Of many trials, so many are shown."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m search.status", description=__doc__.split("\n\n")[0])
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    directory: Path = parser.parse_args(arguments).run_dir
    if not (directory / "trials.jsonl").is_file():
        print(f"{directory}: no run directory: there is no trials.jsonl", file=sys.stderr)
        return 2
    try:
        standing = Standing.read(directory)
    except RunDirectoryError as error:
        print(error, file=sys.stderr)
        return 5
    for line in lines(standing, datetime.now(UTC)):
        print(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    return 0


def lines(standing: Standing, now: datetime) -> Iterator[str]:
    """Yields what there is to say, line by line: what runs, what is done, what is left, what is best."""
    yield f"{_name(standing)}: {_state(standing)}"
    yield from _phases(standing)
    yield from _running(standing, now)
    yield from _mishaps(standing)
    yield from _best(standing)
    if standing.scan.damaged:
        yield f"the record is damaged in {len(standing.scan.damaged)} lines: python -m search.audit tells more"
    if not standing.holder and not standing.ended and standing.session:
        yield f"goes on with: {standing.resume}"


def _name(standing: Standing) -> str:
    return str(standing.session["study"]["name"]) if standing.session else standing.directory.name


def _state(standing: Standing) -> str:
    if standing.holder:
        return f"running ({standing.holder}){_time_left(standing)}"
    if standing.ended:
        late = standing.last("time_up")
        return f"ended; its {late['hours']:g} hours were up" if late else "ended"
    return "not running, and not at its end"


def _phases(standing: Standing) -> Iterator[str]:
    known = {phase.name: phase for phase in standing.phases}
    expected = (standing.session or {}).get("planned", {})
    statuses = {name: Counter[str]() for name in PHASES}
    for entry in standing.finished.values():
        statuses[entry["phase"]][entry["status"]] += 1
    for name in PHASES:
        if name in known:
            phase, found = known[name], statuses[name]
            bar = "#" * (24 * phase.done // max(1, phase.total))
            said = "".join(f", {count:,} {status}" for status, count in sorted(found.items()) if status != "completed")
            yield f"{name:<9}[{bar:<24}] {phase.done:,} of {phase.total:,} trials{said}"
        elif name in expected:
            yield f"{name:<9}[{'':<24}] {expected[name]:,} trials to come"


def _running(standing: Standing, now: datetime) -> Iterator[str]:
    if not standing.running:
        return
    if not standing.holder:
        yield f"{len(standing.running):,} trials were in flight when it stopped; they run again"
        return
    session = standing.session
    begun = datetime.fromisoformat(session["time"]) if session else now
    for trial, entry in list(standing.running.items())[:SHOWN]:
        seconds = max(0.0, (now - begun).total_seconds() - entry.get("elapsed", 0.0))
        yield f"  runs    {trial}  for {_time(seconds)}  {_label(standing, entry['arm'])}"
    if len(standing.running) > SHOWN:
        yield f"  and {len(standing.running) - SHOWN:,} more"


def _mishaps(standing: Standing) -> Iterator[str]:
    failed = [entry for entry in standing.finished.values() if entry["status"] in ("failed", "diverged")]
    for entry in failed[-SHOWN:]:
        yield f"  {entry['status']:<8}{entry['trial']}  {entry['reason']}"


def _best(standing: Standing) -> Iterator[str]:
    """Yields the arm with the best mean in the last phase that compares arms and in which something has completed."""
    for phase in ("confirm", "explore"):
        scores: dict[str, list[float]] = {}
        for entry in standing.finished.values():
            if entry["phase"] == phase and entry["status"] == "completed" and entry.get("val_accuracy") is not None:
                scores.setdefault(entry["arm"], []).append(entry["val_accuracy"])
        if scores:
            arm = max(scores, key=lambda arm: fmean(scores[arm]))
            seeds = f"{len(scores[arm])} seed{'s' if len(scores[arm]) > 1 else ''}"
            yield f"best     {fmean(scores[arm]):.2%} on validation ({phase}, {seeds}): {_label(standing, arm)}"
            return


def _time_left(standing: Standing) -> str:
    """Returns what is left by the ends of this session so far; the first also waited for the workers to start."""
    entries = standing.entries
    start = max((i for i, entry in enumerate(entries) if entry["event"] == "session"), default=0)
    ends = [entry["elapsed"] for entry in entries[start:] if entry["event"] == "finished"]
    known = {phase.name: phase.total - phase.done for phase in standing.phases}
    left = sum({**(standing.session or {}).get("planned", {}), **known}.values())
    if len(ends) < 3 or not left:
        return ""
    return f", about {_time((ends[-1] - ends[0]) / (len(ends) - 1) * left)} left"


def _label(standing: Standing, arm: str) -> str:
    return standing.labels.get(arm, arm)


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
