"""What happens to the driver: killed, interrupted, started twice; and what then becomes of the run."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.faults.runs import FEW, count, demand_same, wait_until
from tests.search.command import SEARCH, Process, rows, run, write_study


def test_f01_sigkill_at_each_step_then_the_same_command_again(tmp_path: Path, whole: Path) -> None:
    """One run that is killed at one step after the other; each time the same command goes on."""
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    for step in ("dispatch:2", "record:2", "report:3", "checkpoint:2", "export:1", "page:1"):
        done = Process(tmp_path, "study.yaml", "--inline", step=f"{step}:SIGKILL").wait()
        assert done.returncode == -signal.SIGKILL, (step, done.stderr)
        said = run(tmp_path, str(directory), module="search.audit")
        assert said.returncode == 5 or step == "page:1", said.stdout
        assert "mended by: python -m search.run study.yaml --inline" in said.stdout or step == "page:1"
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    demand_same(directory, whole)
    assert [path.name for path in directory.rglob(".*.*")] == []


def test_f01_a_search_killed_while_it_proposes_goes_the_way_of_an_uninterrupted_one(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, SEARCH)
    assert run(tmp_path / "whole", "study.yaml", "--inline").returncode == 0
    for number in (3, 2):
        done = Process(tmp_path / "parts", "study.yaml", "--inline", step=f"propose:{number}:SIGKILL").wait()
        assert done.returncode == -signal.SIGKILL
    assert run(tmp_path / "parts", "study.yaml", "--inline").returncode == 0
    demand_same(*(tmp_path / name / "runs" / "tiny_search" for name in ("parts", "whole")))


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_f02_one_signal_ends_it_with_a_page_within_ten_seconds(
    tmp_path: Path, whole: Path, name: str, code: int
) -> None:
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    began = time.monotonic()
    done = Process(tmp_path, "study.yaml", "--inline", step=f"report:3:{name}").wait()
    assert time.monotonic() - began < 10
    assert done.returncode == code, done.stderr
    assert "the same command goes on from here" in done.stderr
    assert "Traceback" not in done.stderr
    assert (directory / "report.html").exists()
    assert len(rows(directory / "results.csv")) == 3
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    demand_same(directory, whole)


def test_f02_before_anything_has_run_nothing_is_left(tmp_path: Path) -> None:
    write_study(tmp_path, FEW)
    process = Process(tmp_path, "study.yaml", "--inline", step="dispatch:1:SIGSTOP")
    wait_until(lambda: count(tmp_path / "runs" / "tiny", "started"))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    done = process.wait(10)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "runs" / "tiny" / "report.html").exists()


def test_f03_a_second_ctrl_c_ends_it_at_once(tmp_path: Path, whole: Path) -> None:
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    done = Process(tmp_path, "study.yaml", "--inline", step="report:3:SIGINT:2").wait(10)
    assert done.returncode == 130
    assert done.stderr.endswith("explore: 10 trials\n")  # no word, no page: it ended there and then
    assert not (directory / "report.html").exists()
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    demand_same(directory, whole)


def test_f04_a_second_driver_is_turned_away_and_the_hold_dies_with_the_first(tmp_path: Path, whole: Path) -> None:
    import socket

    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    first = Process(tmp_path, "study.yaml", "--inline", step="dispatch:2:SIGSTOP")
    wait_until(lambda: count(directory, "started") == 2)
    began = time.monotonic()
    second = run(tmp_path, "study.yaml", "--inline")
    assert time.monotonic() - began < 2
    assert second.returncode == 5
    assert f"in use by process {first.pid} on {socket.gethostname()}" in second.stderr
    status = run(tmp_path, str(directory), module="search.status")
    assert status.stdout.startswith(f"tiny: running (process {first.pid} on ")
    assert "  runs    " in status.stdout
    assert run(tmp_path, str(directory), module="search.audit").returncode == 5
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    demand_same(directory, whole)
