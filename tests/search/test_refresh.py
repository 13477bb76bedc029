"""The page while the study runs: written beside it, at no cost to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.refresh import Refresher
from search.study import load_study
from search.workplace import study_yaml
from tests.search.command import rows, write_study

STUDIES = Path(__file__).parents[2] / "studies"

DRIVER = """
import shutil, sys, time
from pathlib import Path
from search import workplace
from search.refresh import Refresher
from search.run import main

class Waiting(Refresher):  # refreshes when the third trial has ended, waits for the page, and keeps what there is then
    ended = 0
    def trial_ended(self):
        Waiting.ended += 1
        if Waiting.ended == 3:
            super().trial_ended()
            while not (self._directory / "report.html").exists():
                time.sleep(0.02)
            shutil.copytree(self._directory, "then")

workplace.Refresher = lambda directory, warn: Waiting(directory, warn, every=0)
sys.exit(main(sys.argv[1:]))
"""
ASIDE = """
import os, sys, time
from search import refresh, run
run.refresh = {work}
sys.argv[1:] = ["."]
refresh.main()
"""


@pytest.mark.slow
def test_the_page_is_written_while_the_study_runs(tmp_path: Path) -> None:
    write_study(tmp_path)
    command = [sys.executable, "-W", "error", "-c", DRIVER, "study.yaml", "--inline"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "can't be refreshed" not in done.stderr
    then, now = tmp_path / "then", tmp_path / "runs" / "tiny"
    assert len(rows(then / "results.csv")) == 3
    early, final = (json.loads((folder / "report.json").read_bytes()) for folder in (then, now))
    assert "while the study was running: load the page again for a newer one." in early["answer"]["caveats"][0]
    assert early["answer"]["caveats"][1].startswith("Unfinished: 3 of 14")
    assert "running" in (then / "report.html").read_text()
    assert final["answer"]["caveats"] == []
    assert "running" not in json.loads((now / "environment.json").read_bytes())
    left = {file.name for file in now.iterdir() if file.name.startswith(".")}
    assert left <= {".lock"}


def test_the_study_of_a_run_directory_can_be_read_again(tmp_path: Path) -> None:
    for name in ("depth_width_search", "recipe_ablation", "finetune_small_batch", "block_spaces"):
        study = load_study(STUDIES / f"{name}.yaml")
        (tmp_path / "study.yaml").write_text(study_yaml(study))
        assert load_study(tmp_path / "study.yaml").spec.plain() == study.spec.plain(), name


def test_it_gives_way_to_all_others(tmp_path: Path) -> None:
    code = ASIDE.format(work="lambda folder: print(os.getpriority(os.PRIO_PROCESS, 0))")
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait() == 0
    assert said.split() == [b"19"]


def test_it_ends_with_the_study_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = ASIDE.format(work="lambda folder: (open(f'.report.html.{os.getpid()}', 'w').close(), time.sleep(60))")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir())
    assert process.stdin is not None
    process.stdin.close()  # what happens when the driver is gone
    assert process.wait(timeout=10) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_told_of_once_and_harms_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    refresher = Refresher(tmp_path / "nothing here", said.append, every=0)
    deadline = time.monotonic() + 60
    while not said and time.monotonic() < deadline:
        refresher.trial_ended()
        time.sleep(0.05)
    refresher.trial_ended()
    refresher.close()
    assert len(said) == 1
    assert said[0].startswith("the page can't be refreshed while the study runs: ")
    assert "study.yaml" in said[0]
