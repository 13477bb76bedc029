"""Signals to a driver with workers on Ray, and a kill in the midst of tuning: slow ones, beside `test_driver`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from search.interrupts import Interrupts, Terminated
from search.record import read
from tests.faults.runs import FEW, count, demand_same, demand_whole, in_session, wait_until
from tests.search.command import SEARCH, Process, arms, finished, numbers, rows, run, write_study

TUNED = FEW + "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 3}\n"
STOPPED = SEARCH.replace("epochs: 1,", "epochs: 3,").replace(
    "trials: 10, sampler: tpe", "budget: {epochs: 16}, early_stopping: {eta: 3}, sampler: evolution"
)
CHOSEN = ("arms", "derived", "tuning")


def start(folder: Path) -> subprocess.Popen[str]:
    """Starts the command in a session of its own, so that no signal meant for it reaches the tests."""
    command = [sys.executable, "-m", "search.run", "study.yaml", "--workers=1"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_f02_on_ray_one_signal_ends_it_with_a_page(
    tmp_path: Path, whole: Path, number: signal.Signals, code: int
) -> None:
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    process = start(tmp_path)
    wait_until(lambda: count(directory, "finished") >= 2, 120)
    process.send_signal(number)
    if number == signal.SIGTERM:  # an end that takes its time, as on a busy machine
        time.sleep(0.2)
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == code, talk
    wait_until(lambda: not in_session(process.pid), 10)  # Ray and all of its workers are gone
    assert "the same command goes on from here" in talk
    assert "Traceback" not in talk
    assert "SIGTERM received" not in talk
    assert (directory / "report.html").exists()
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    demand_same(directory, whole)


@pytest.mark.slow
def test_f02_while_ray_starts_nothing_is_left(tmp_path: Path) -> None:
    write_study(tmp_path, FEW)
    process = start(tmp_path)
    directory = tmp_path / "runs" / "tiny"
    wait_until((directory / ".lock").exists)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert "Traceback" not in talk
    assert not directory.exists() or (directory / "report.html").exists()


@pytest.mark.slow
def test_f01_sigkill_in_the_midst_of_tuning(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, TUNED)
    assert run(tmp_path / "whole", "study.yaml", "--inline").returncode == 0
    whole, parts = (tmp_path / name / "runs" / "tiny" for name in ("whole", "parts"))
    done = Process(tmp_path / "parts", "study.yaml", "--inline", step="report:4:SIGKILL").wait()
    assert done.returncode == -signal.SIGKILL
    before = finished(parts)
    assert {entry["phase"] for entry in read(parts / "trials.jsonl")[0] if entry["event"] == "finished"} == {"tune"}
    done = run(tmp_path / "parts", "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    demand_whole(parts)
    assert numbers(parts) == numbers(whole)
    assert Counter(finished(parts)) == Counter(finished(whole))
    assert finished(parts)[: len(before)] == before
    assert {key: arms(parts)[key] for key in CHOSEN} == {key: arms(whole)[key] for key in CHOSEN}


@pytest.mark.slow
def test_f01_sigkill_in_a_search_that_stops_arms_early_spends_its_budget_to_the_epoch(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, STOPPED)
    assert run(tmp_path / "whole", "study.yaml", "--inline").returncode == 0
    whole, parts = (tmp_path / name / "runs" / "tiny_search" for name in ("whole", "parts"))
    for step in ("propose:3", "rung:1", "report:2"):
        done = Process(tmp_path / "parts", "study.yaml", "--inline", step=f"{step}:SIGKILL").wait()
        assert done.returncode == -signal.SIGKILL, (step, done.stderr)
    done = run(tmp_path / "parts", "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    demand_same(parts, whole)
    explored = [row for row in rows(parts / "results.csv") if row["phase"] == "explore"]
    assert {row["status"] for row in explored} == {"completed", "stopped"}
    assert sum(int(row["epochs"]) for row in explored) == 16


def test_f02_a_signal_is_one_even_where_a_library_makes_an_error_of_its_own_of_it() -> None:
    """As Ray does while it waits: a system error, whose cause is ours."""
    interrupts = Interrupts()

    def wait() -> None:
        with interrupts.window():
            try:
                interrupts._handle(signal.SIGTERM, None)
            except Terminated as error:
                raise SystemError("returned a result with an exception set") from error

    with pytest.raises(Terminated):
        wait()
