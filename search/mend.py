"""Mending a record: a damaged line costs what it told of, and nothing else."""

from __future__ import annotations

from pathlib import Path

from search.record import Record, line_of, scan, write_atomically
from search.standing import Standing


def mend(directory: Path) -> str:
    """Sets a damaged record aside and writes one of its whole lines, each trial's last end alone; says what it did.

    The trials whose ends are lost are run again by the command that runs the study.

    Raises:
        RunDirectoryError: If the run is going on, or the directory can't be written.
    """
    path = directory / "trials.jsonl"
    found = scan(path)
    twice = set(Standing(directory, found, None).twice)
    if not found.damaged and not twice:
        return f"{path}: nothing to mend"
    with Record.held(directory):
        aside = next(p for n in range(1, 10_000) if not (p := path.with_name(f"trials.jsonl.damaged-{n}")).exists())
        write_atomically(aside, path.read_bytes())
        entries, ended = [], set[str]()
        for entry in reversed(found.entries):
            again = entry["event"] == "finished" and entry["trial"] in twice and entry["trial"] in ended
            ended |= {entry["trial"]} if entry["event"] == "finished" else set()
            entries += [] if again else [entry]
        write_atomically(path, b"".join(line_of(entry) for entry in reversed(entries)))
    lost = len(found.damaged)
    return f"{path}: {len(entries):,} lines kept, {lost} damaged ones dropped; the old file is {aside.name}"
