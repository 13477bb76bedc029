"""The command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.__main__ import main


def test_each_run_directory_gets_its_page(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [shutil.copytree(written(name), tmp_path / f"a run %20 'of' {name} 🙂") for name in ("train", "list")]
    compared = tmp_path / "compared.html"
    assert main([*(str(run) for run in runs), "--out", str(compared)]) == 0
    assert capsys.readouterr().out.splitlines() == [*(str(run / "report.html") for run in runs), str(compared)]
    assert all((run / "report.html").stat().st_size > 1_000_000 for run in runs)


def test_a_folder_that_is_no_run_exits_2_and_the_others_are_built(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(written("train"), tmp_path / "run")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main([str(empty), str(run)]) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"{empty}: not a run directory: study.yaml, arms.json, results.csv, epochs.csv, environment.json missing"
    ]
    assert said.out.splitlines() == [str(run / "report.html")]
    assert list(empty.iterdir()) == []


def test_a_page_that_cannot_be_written_exits_5(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(written("train"), tmp_path / "run")
    (run / "report.json").unlink(missing_ok=True)
    (run / "report.json").mkdir()
    assert main([str(run)]) == 5
    assert "the report cannot be written" in capsys.readouterr().err


def test_no_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "RUN_DIR" in capsys.readouterr().err
