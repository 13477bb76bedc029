"""Mending a record: a damaged line costs what it told of, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search.record import Record
from search.record_lines import record_of, scan
from search.run_directory import write_atomically
from search.standing import Standing


def mend(directory: Path) -> str:
    """Sets a damaged record aside and writes one of its whole lines, each trial's last end alone; says what it did.

    What is lost is made again by the command that runs the study: a trial whose end it was, for one.

    Raises:
        RunDirectoryError: If the run is going on, or the directory can't be written.
    """
    path = directory / "trials.jsonl"
    found = scan(path)
    twice = set(Standing(directory, found, None).twice)
    if not found.faults and not twice:
        return f"{path}: nothing to mend"
    with Record.held(directory):
        aside = next(p for n in range(1, 10_000) if not (p := path.with_name(f"trials.jsonl.damaged-{n}")).exists())
        write_atomically(aside, path.read_bytes())
        kept = _once(found.entries, twice)
        if found.lost:  # whatever it was that is not known any more: the study is gone through again
            kept = [entry for entry in kept if entry["event"] != "ended"]
        write_atomically(path, record_of(kept))
    lost = f"{len(found.damaged)} damaged ones dropped" + (f", {found.missing} are missing" if found.missing else "")
    return f"{path}: {len(kept):,} lines kept, {lost}; the old file is {aside.name}"


def _once(entries: list[dict[str, Any]], twice: set[str]) -> list[dict[str, Any]]:
    """Returns the entries, of the trials that ended too often their last end alone."""
    kept, ended = [], set[str]()
    for entry in reversed(entries):
        if entry["event"] == "finished" and entry["trial"] in twice:
            if entry["trial"] in ended:
                continue
            ended.add(entry["trial"])
        kept.append(entry)
    return kept[::-1]
