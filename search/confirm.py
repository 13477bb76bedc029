"""The confirm phase: who comes into it, on which seeds, and whose weights are needed still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from search.arms import Trial
from search.diagnosis import lesion_trials
from search.jobs import weights_of
from search.outputs import latest
from search.plan import Plan
from search.record import Record
from search.run_directory import sha256_of
from search.select import Finished, confirmed_arms, finalists


def choose_finalists(plan: Plan, record: Record, scored: Mapping[str, float]) -> list[str]:
    """Chooses the finalists by their scores and records them, unless that very choice is the recorded one."""
    chosen = [] if plan.study.spec.design.kind == "train" else finalists(plan, scored)
    if record.last("finalists").get("arms") != chosen:
        record.append("finalists", arms=chosen)
    return chosen


def recorded_finalists(plan: Plan, record: Record) -> list[str]:
    """Returns the finalists that were chosen last, less those that are no longer there."""
    recorded: list[str] = record.last("finalists").get("arms", [])
    return [arm for arm in recorded if arm in plan.arms]


def confirm_trials(plan: Plan, chosen: list[str], seeds: Iterable[int]) -> list[Trial]:
    """Returns the confirm trials, seed by seed, on seeds no design uses."""
    arms = confirmed_arms(plan, chosen)
    return [Trial(arm, seed, "confirm") for seed in seeds for arm in arms]


def seeds_of_all(finished: Finished, arms: Iterable[str], seeds: Iterable[int]) -> list[int]:
    """Returns the seeds with which every arm's trial has ended."""
    named = list(arms)
    return [seed for seed in seeds if all(f"{arm}-s{seed}" in finished for arm in named)]


def lost_weights(directory: Path, record: Record, trials: list[Trial], finished: Finished) -> list[str]:
    """Returns the trials that have ended and whose weights, needed still, are gone or damaged."""
    tested = latest(record.entries, "tested")
    best = {trial.name for trial in lesion_trials(trials, finished)}
    ended = [finished[trial.name] for trial in trials if trial.name in finished]
    wanted = (entry for entry in ended if entry["trial"] in best or entry["trial"] not in tested)
    lost = {entry["trial"] for entry in wanted if entry["status"] == "completed" and not _kept(directory, entry)}
    return sorted(lost)


def _kept(directory: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a trial's weights are there as they were written."""
    found = sha256_of(weights_of(directory, entry["trial"]))
    return bool(found) and entry.get("weights_sha256") in (None, found)
