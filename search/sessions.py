"""A run's sessions, as its record tells of them: how long each lasted, by what command, and with what around it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from search.data.images import Splits
from search.engine import Executor
from search.environment import environment
from search.opening import now
from search.plan import Plan
from search.planned import beside_seeds
from search.record_lines import Scan
from search.run_directory import command
from search.standing import Standing
from search.study import Study

Entries = Sequence[dict[str, Any]]


def seconds_left(hours: float | None, entries: Entries) -> float | None:
    """Returns what is left of a study's hours, all its sessions together; None if it has as long as it takes."""
    if hours is None:
        return None
    if any(entry["event"] == "time_up" and entry["hours"] >= hours for entry in entries):
        return 0.0  # a moment may have been left, too short for what came next
    return max(0.0, hours * 3600 - sum(_seconds(own) for _, own in _sessions(entries)))


def session_entry(
    study: Study,
    splits: Splits,
    executor: Executor,
    planned: dict[str, int],
    *,
    measured: dict[str, Any],
    only: str | None,
) -> dict[str, Any]:
    """Returns what the record keeps of a session that begins.

    Args:
        splits: The baseline's images.
        planned: How many trials each phase has.
        measured: What was left open in the study, and was measured.
        only: The one trial that is run; None for all.
    """
    data = {
        "kind": study.spec.data.kind,
        "checksum": splits.checksum,
        "train": len(splits.train),
        "validation": len(splits.validation),
        "test": len(splits.test),
        "classes": list(splits.classes),
    }
    return {
        "time": now(),
        "study": study.spec.plain(),
        "environment": environment(study.plugins),
        "data": data,
        "engine": executor.name,
        "workers": executor.slots,
        "measured": measured,
        "command": command("search.run", *sys.argv[1:]),
        "planned": planned,
        **({"only": only} if only else {}),
    }


def surroundings(
    plan: Plan, entries: Entries, session: dict[str, Any], planned: dict[str, int], confirm_seeds: Sequence[int]
) -> dict[str, Any]:
    """Returns the content of environment.json.

    Args:
        session: The last session's entry.
        planned: How many trials each phase has.
    """
    spec = plan.study.spec
    sessions = [
        {
            "started": entry["time"],
            "seconds": _seconds(own),
            "command": entry["command"],
            "trials": sum(after["event"] == "finished" for after in own),
        }
        for entry, own in _sessions(entries)
    ]
    explore = [] if spec.design.kind == "train" else list(plan.seeds)
    return {
        **session["environment"],
        "threads": spec.train.threads,
        "workers": session["workers"],
        "measured": session.get("measured", {}),
        "engine": session["engine"],
        "seeds": {"explore": explore, **beside_seeds(plan), "confirm": list(confirm_seeds)},
        "varied": list(spec.design.vary),
        "data": session["data"],
        "command": session["command"],
        "wall_seconds": sum(entry["seconds"] for entry in sessions),
        "sessions": sessions,
        "warnings": [entry["text"] for entry in entries if entry["event"] == "warning"],
        "planned": {"trials": sum(planned.values()), "by_phase": planned, "earlier": _earlier(plan, entries)},
    }


def _earlier(plan: Plan, entries: Entries) -> list[str]:
    """Returns the trials of results.csv that are no longer planned."""
    standing = Standing(Path(), Scan(list(entries), [], 0, [], 0, 0, 0), None)
    return [trial for trial in standing.earlier if plan.find(standing.finished[trial]["arm"])]


def _seconds(entries: Entries) -> float:
    """Returns how long a session lasted, as far as its record tells."""
    return next((float(entry["elapsed"]) for entry in reversed(entries) if "elapsed" in entry), 0.0)


def _sessions(entries: Entries) -> Iterator[tuple[dict[str, Any], Entries]]:
    """Yields every session's entry with those that came after it and before the next."""
    starts = [index for index, entry in enumerate(entries) if entry["event"] == "session"]
    for start, end in zip(starts, [*starts[1:], len(entries)], strict=True):
        yield entries[start], entries[start + 1 : end]
