"""Killed and run again: the same trials with the same numbers as an uninterrupted run, none lost, none twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from search.record import RunDirectoryError, read
from tests.search.command import STUDY, arms, finished, numbers, run, write_study

FEW = STUDY.replace("epochs: 2", "epochs: 1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    write_study(folder, FEW)
    done = run(folder, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "tiny"


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Starts the command in a session of its own, so that no signal meant for it reaches the tests."""
    command = [sys.executable, "-m", "search.run", "study.yaml", *arguments]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(directory: Path, event: str, count: int, process: subprocess.Popen[str]) -> None:
    """Waits until the record holds so many entries of an event."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            entries = read(directory / "trials.jsonl")[0]
        except RunDirectoryError:
            entries = []
        if sum(entry["event"] == event for entry in entries) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"no {count} entries of {event} before the end")


def end(process: subprocess.Popen[str]) -> str:
    """Waits for the end; returns what was said."""
    _, talk = process.communicate(timeout=60)
    return talk


@pytest.mark.parametrize(
    ("event", "count", "engine"),
    [
        ("started", 1, "--inline"),
        ("finished", 6, "--workers=2"),
        pytest.param("tested", 2, "--inline", marks=pytest.mark.slow),
        pytest.param("session", 1, "--inline", marks=pytest.mark.slow),
        pytest.param("finished", 4, "--inline", marks=pytest.mark.slow),
        pytest.param("winner", 1, "--inline", marks=pytest.mark.slow),
        pytest.param("exported", 1, "--inline", marks=pytest.mark.slow),
    ],
)
def test_sigkill_costs_nothing_but_time(tmp_path: Path, whole: Path, event: str, count: int, engine: str) -> None:
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    process = start(tmp_path, engine)
    wait_for(directory, event, count, process)
    process.send_signal(signal.SIGKILL)
    end(process)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    assert numbers(directory) == numbers(whole)
    assert Counter(finished(directory)) == Counter(finished(whole))
    assert (directory / "winner.safetensors").exists()
    assert (directory / "report.html").exists()


@pytest.mark.parametrize(
    ("number", "code", "engine"),
    [
        (signal.SIGINT, 130, "--inline"),
        pytest.param(signal.SIGTERM, 143, "--workers=2", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, "--inline", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, "--workers=2", marks=pytest.mark.slow),
    ],
)
def test_an_interruption_leaves_a_report_and_resumes(
    tmp_path: Path, whole: Path, number: signal.Signals, code: int, engine: str
) -> None:
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    process = start(tmp_path, engine)
    wait_for(directory, "finished", 2, process)
    process.send_signal(number)
    if engine != "--inline" and number == signal.SIGTERM:  # an end that takes its time, as on a busy machine
        time.sleep(0.2)
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
    talk = end(process)
    assert process.returncode == code, talk
    assert "the same command goes on from here" in talk
    assert "Traceback" not in talk
    assert "SIGTERM received" not in talk
    assert (directory / "report.html").exists()
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    assert numbers(directory) == numbers(whole)
    assert Counter(finished(directory)) == Counter(finished(whole))


@pytest.mark.slow
def test_sigkill_in_the_midst_of_tuning_costs_nothing_but_time(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, TUNED)
    assert run(tmp_path / "whole", "study.yaml", "--inline").returncode == 0
    whole, parts = (tmp_path / name / "runs" / "tiny" for name in ("whole", "parts"))
    process = start(tmp_path / "parts", "--inline")
    wait_for(parts, "finished", 4, process)
    process.send_signal(signal.SIGKILL)
    end(process)
    before = finished(parts)
    assert {entry["phase"] for entry in read(parts / "trials.jsonl")[0] if entry["event"] == "finished"} == {"tune"}
    done = run(tmp_path / "parts", "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    assert numbers(parts) == numbers(whole)
    assert Counter(finished(parts)) == Counter(finished(whole)) == Counter(audit(parts))
    assert finished(parts)[: len(before)] == before
    assert {key: arms(parts)[key] for key in CHOSEN} == {key: arms(whole)[key] for key in CHOSEN}


TUNED = FEW + "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 3}\n"
CHOSEN = ("arms", "derived", "tuning")


def audit(directory: Path) -> list[str]:
    """Returns the names of all trials that a finished run's own arms.json and environment.json plan."""
    content, seeds = arms(directory), json.loads((directory / "environment.json").read_text())["seeds"]
    running = [arm["arm"] for arm in content["arms"] if arm["status"] == "run"]
    tried = {each["trial"] for arm in content["tuning"]["arms"].values() for each in arm["candidates"]}
    chosen = content["selection"]["finalists"]
    baselines = {content["baseline"]}
    if any(arm["tuned_of"] for arm in content["arms"] if arm["arm"] in chosen):
        baselines.add(content["tuning"]["arms"][content["baseline"]]["tuned"])
    confirmed = {*baselines, *chosen}
    explored = [f"{arm}-s{seed}" for arm in running for seed in seeds["explore"]]
    return [*tried, *explored, *(f"{arm}-s{seed}" for arm in confirmed for seed in seeds["confirm"])]


@pytest.mark.parametrize("engine", ["--inline", "--workers=2"])
def test_an_interruption_before_anything_ran_leaves_nothing(tmp_path: Path, engine: str) -> None:
    write_study(tmp_path, FEW)
    process = start(tmp_path, engine)
    directory = tmp_path / "runs" / "tiny"
    deadline = time.monotonic() + 60
    while not (directory / ".lock").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    talk = end(process)
    assert process.returncode == 130, talk
    assert "Traceback" not in talk
    assert not directory.exists() or (directory / "report.html").exists()


def test_the_same_study_twice_at_once(tmp_path: Path) -> None:
    write_study(tmp_path, FEW)
    process = start(tmp_path, "--inline")
    wait_for(tmp_path / "runs" / "tiny", "session", 1, process)
    second = run(tmp_path, "study.yaml", "--inline")
    process.send_signal(signal.SIGKILL)
    end(process)
    assert second.returncode == 5
    assert f"in use by process {process.pid} on " in second.stderr


@pytest.mark.slow
def test_no_process_survives_the_driver(tmp_path: Path) -> None:
    write_study(tmp_path, FEW)
    process = start(tmp_path, "--workers=2")
    wait_for(tmp_path / "runs" / "tiny", "finished", 2, process)
    group = process.pid
    process.send_signal(signal.SIGKILL)
    end(process)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _in_session(group):
        time.sleep(0.2)
    assert _in_session(group) == []


def _in_session(session: int) -> list[str]:
    """Returns the processes, other than zombies, of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, _, rest = text.rpartition(")")
        state, _, _, member = rest.split()[:4]
        if int(member) == session and state != "Z":
            found.append(name)
    return found
