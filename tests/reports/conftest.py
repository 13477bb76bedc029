"""Run directories, written once a session, and their pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from reports.table import Table, read
from tests.reports import runs

SKETCHES: dict[str, Callable[[], runs.Sketch]] = {
    "ablation": runs.finished_ablation,
    "broken": runs.broken_ablation,
    "diagnosed": runs.diagnosed_ablation,
    "unfinished": runs.unfinished_ablation,
    "failed": runs.failed_ablation,
    "empty": runs.empty_ablation,
    "hostile": runs.hostile_ablation,
    "factorial": runs.factorial,
    "matched factorial": runs.matched_factorial,
    "lost factorial": runs.lost_factorial,
    "search": runs.finished_search,
    "raced": runs.raced_search,
    "train": runs.trained,
    "list": runs.listed,
    "one seed": runs.one_seed,
    "one fresh seed": runs.one_fresh_seed,
    "linked": runs.linked_factorial,
    "fraction": runs.fraction,
    "population": runs.populations,
    "tuned": runs.tuned_ablation,
    "fidelity": runs.short_and_full,
}


EVERYDAY = ("ablation", "broken", "empty", "hostile", "lost factorial", "population", "search", "tuned")
EVERY = [name if name in EVERYDAY else pytest.param(name, marks=pytest.mark.slow) for name in sorted(SKETCHES)]
"""All sketches for a law that holds for each, those that differ least from another one left to the slow tests."""


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns a run directory by its short name; tests must not change it."""
    folder = tmp_path_factory.mktemp("runs")
    made: dict[str, Path] = {}

    def write(name: str) -> Path:
        if name not in made:
            made[name] = SKETCHES[name]().write(folder)
        return made[name]

    return write


@pytest.fixture(scope="session")
def table(written: Callable[[str], Path]) -> Callable[[str], Table]:
    """Returns the table of a run directory by its short name."""
    return lambda name: read(written(name))


@pytest.fixture(scope="session")
def page(written: Callable[[str], Path]) -> Callable[[str], Path]:
    """Returns the built page of a run directory by its short name."""
    made: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in made:
            made[name] = reports.build(written(name))
        return made[name]

    return build
