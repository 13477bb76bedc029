"""Whether a run is whole: ``python -m search.audit RUN_DIR``. Reads files only, also of a copy.

Whole means: every line of the record matches its checksum, every planned trial has ended once and none is running, the
study came to its end, and the files that were made from the record are those that it tells of. Exit codes: 0 whole;
2 this is no run directory; 5 not whole, or still running, with what is wrong and the command that mends it.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a user's random.py in the working directory would shadow the library's

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from search.mend import mend
from search.run_directory import RunDirectoryError, command, sha256_of
from search.standing import Standing

MADE = ("study.yaml", "environment.json", "arms.json", "results.csv", "epochs.csv")
"""Files that every run has, made from the record; beside its page."""

NAMED = 3
"""Of many trials, so many are named."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be, and the command that mends it."""

    what: str
    mended_by: str


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m search.audit", description=__doc__.split("\n\n")[0])
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    parser.add_argument(
        "--mend", action="store_true", help="set a damaged record aside, and keep every whole line of it"
    )
    options = parser.parse_args(arguments)
    directory: Path = options.run_dir
    if not (directory / "trials.jsonl").is_file():
        print(f"{directory}: no run directory: there is no trials.jsonl", file=sys.stderr)
        return 2
    try:
        if options.mend:
            print(mend(directory))
        standing = Standing.read(directory)
    except RunDirectoryError as error:
        print(error, file=sys.stderr)
        return 5
    return _tell(standing)


def problems(standing: Standing) -> list[Problem]:
    """Returns what keeps a run from being whole; nothing of one that is."""
    mending = command("search.audit", standing.directory, "--mend")
    found = [Problem(what, mending) for what in standing.scan.faults]
    found += [Problem(f"{_named(standing.twice)} ended twice", mending)] if standing.twice else []
    found += [Problem(what, standing.resume) for what in (*_unfinished(standing), *_spoilt(standing))]
    if standing.ended:
        found += [Problem(what, command("reports", standing.directory)) for what in _page(standing.directory)]
    return found


def _tell(standing: Standing) -> int:
    found = problems(standing)
    print(f"{standing.directory}: {'not whole' if found else 'whole'}")
    lines = [f"record: {len(standing.entries):,} lines match their checksums"]
    lines += [f"{phase.name}: {phase.done:,} of {phase.total:,} trials" for phase in standing.phases]
    lines += [f"note: {note}" for note in _notes(standing)]
    lines += [f"wrong: {problem.what}" for problem in found]
    lines += [f"mended by: {by}" for by in dict.fromkeys(problem.mended_by for problem in found)]
    print("\n".join(f"  {line}" for line in lines))
    return 5 if found else 0


def _unfinished(standing: Standing) -> Iterator[str]:
    if standing.scan.sound < standing.scan.size:
        yield f"the record's last {standing.scan.size - standing.scan.sound} bytes are an unfinished write"
    if standing.holder:
        yield f"still running: {standing.holder}"
    if standing.running:
        yield f"{_named(list(standing.running))}: started, and not ended"
    late = (standing.last("time_up") or {}).get("left", {})
    for phase in standing.phases:
        left = phase.total - phase.done
        if left > (late.get(phase.name, 0) if standing.ended else 0):
            yield f"{phase.name}: {left:,} planned trials have not ended ({_named(list(phase.missing))})"
    if not standing.ended:
        yield "the study has not come to its end"


def _spoilt(standing: Standing) -> Iterator[str]:
    """Yields which files are missing or not what the record says."""
    directory = standing.directory
    if not standing.ended:
        return
    told = (standing.last("written") or {}).get("sha256", {})  # not there in runs of earlier versions
    for name in dict.fromkeys((*MADE, *told)):
        if name in MADE and not (directory / name).is_file():
            yield f"{name} is missing"
        elif name in told and sha256_of(directory / name) != told[name]:
            yield f"{name} is not what was made of the record"
    exported = standing.last("exported") or {}
    for name, sha256 in exported.get("sha256", {}).items():
        if sha256_of(directory / name) != sha256:
            yield f"{name} is not the file that was exported"
    for trial in exported.get("kept", ()):
        sha256 = standing.finished.get(trial, {}).get("weights_sha256")
        if sha256 and sha256_of(directory / "weights" / f"{trial}.safetensors") != sha256:
            yield f"weights/{trial}.safetensors is not what was trained"
    if (directory / "results.csv").is_file() and (wrong := _wrong_rows(standing)):
        yield f"results.csv and the record tell different things of {_named(wrong)}"


def _page(directory: Path) -> Iterator[str]:
    """Yields what is wrong with the page, which anyone may build again: so it has no hash."""
    for name in ("report.html", "report.json"):
        if not (directory / name).is_file():
            yield f"{name} is missing"
        elif not _is_whole(directory / name):
            yield f"{name} is not whole"


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    if path.suffix == ".html":
        return content.rstrip().endswith(b"</html>")
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _notes(standing: Standing) -> Iterator[str]:
    statuses = Counter(entry["status"] for entry in standing.finished.values())
    yield ", ".join(f"{count:,} {status}" for status, count in statuses.items()) or "nothing has ended yet"
    if (late := standing.last("time_up")) and standing.ended:
        yield f"its time of {late['hours']:g} hours was up before everything planned was run"
    if standing.earlier:
        yield f"{len(standing.earlier):,} trials are of an earlier plan"


def _wrong_rows(standing: Standing) -> list[str]:
    """Returns the trials that results.csv lacks, or tells otherwise of. It may hold more than the plan of now does."""
    with (standing.directory / "results.csv").open(newline="", encoding="utf-8", errors="replace") as file:
        found = csv.DictReader(line.replace("\0", "\N{REPLACEMENT CHARACTER}") for line in file)
        rows = {str(row.get("trial")): row.get("status") for row in found}
    ends = {trial: entry["status"] for trial, entry in standing.finished.items()}
    lacking = [trial for phase in standing.phases for trial in phase.trials if trial in ends and trial not in rows]
    return lacking + [trial for trial, status in rows.items() if ends.get(trial) != status]


def _named(trials: list[str]) -> str:
    more = f" and {len(trials) - NAMED:,} more" if len(trials) > NAMED else ""
    return ", ".join(trials[:NAMED]) + more if trials else "none of them is known yet"


if __name__ == "__main__":
    sys.exit(main())
