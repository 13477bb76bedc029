"""One test a fault, named by its number: ``pytest tests/faults -k f13`` runs that one's, the slow ones too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.runs import FEW
from tests.search.command import run, write_study

EVERYDAY = "not slow and not gpu"


def pytest_configure(config: pytest.Config) -> None:
    """Whoever asks for a fault by its number gets all of its tests."""
    if re.search(r"\bf\d\d\b", config.option.keyword or "") and config.option.markexpr == EVERYDAY:
        config.option.markexpr = "not gpu"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    write_study(folder, FEW)
    done = run(folder, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "tiny"
