"""One real run on a real local Ray: a worker is killed, a stranger calls, and the driver is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from search.local_ray import LOOPBACK
from search.record import read
from tests.faults.runs import FEW, count, demand_same, in_session, wait_until
from tests.search.command import Done, run, write_study

SECRET = "planted-0b5e11ed"
NOISY = """
import os
import sys
from blocks import BlockSpec, register_block
from typing import Literal

if "default_worker" in sys.argv[0]:
    print("noisy", dict(os.environ), flush=True)


@register_block
class NoisySpec(BlockSpec):
    kind: Literal["noisy"] = "noisy"
"""
STRANGER = """
import sys, ray
ray.init(address=sys.argv[1], logging_level="fatal", _node_ip_address="127.0.0.1")
print(ray.cluster_resources())
"""


@dataclass
class Story:
    """What happened.

    Attributes:
        listening: The addresses and ports on which the driver and its Ray listened, as the kernel tells them.
    """

    directory: Path
    listening: set[tuple[str, int]]
    stranger: Done
    survivors: list[str]
    logs: str
    said: str
    resumed: Done


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("ray")
    # Ray's sockets lie in its folder, and a socket's path may have 107 letters.
    with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as temporary:
        yield told(folder, Path(temporary))


def told(folder: Path, temporary: Path) -> Story:
    (folder / "noisy.py").write_text(NOISY)
    write_study(folder, FEW + "plugins: [noisy.py]\n")
    directory = folder / "runs" / "tiny"
    command = [sys.executable, "-m", "search.run", "study.yaml", "--workers", "2"]
    environment = {**os.environ, "AWS_SECRET_ACCESS_KEY": SECRET, "RAY_TMPDIR": str(temporary)}
    with (folder / "said").open("w") as said:
        driver = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        wait_until(lambda: count(directory, "started") and workers(driver.pid), 120)
        os.kill(workers(driver.pid)[0], signal.SIGKILL)
        driver.send_signal(signal.SIGSTOP)  # a few trials are over before a stranger has imported Ray
        listening = listened(driver.pid)
        stranger = call(folder, driver.pid)
        driver.send_signal(signal.SIGCONT)
        wait_until(lambda: any(entry["reason"] for entry in ended(directory)), 120)
    finally:
        driver.kill()
        driver.wait()
    deadline = time.monotonic() + 10
    while in_session(driver.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    logs = "".join(path.read_text(errors="replace") for path in temporary.rglob("logs/*") if path.is_file())
    survivors = in_session(driver.pid)
    resumed = run(folder, "study.yaml", "--inline")
    return Story(directory, listening, stranger, survivors, logs, (folder / "said").read_text(), resumed)


def ended(directory: Path) -> list[dict[str, Any]]:
    return [entry for entry in read(directory / "trials.jsonl")[0] if entry["event"] == "finished"]


def workers(session: int) -> list[int]:
    """Returns the processes of a session that do a job just now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
            member = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
        except OSError:
            continue
        if member == session and line.startswith(b"ray::Worker.do"):
            found.append(int(folder.name))
    return found


def call(folder: Path, session: int) -> Done:
    """Tries to join the Ray of a session without its token; returns what came of it."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _is_raylet(path, session)]
    address = next(word for word in lines[0].decode().split("\0") if word.startswith("--gcs-address="))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment[LOOPBACK] = "0"  # it is of this machine; nothing but the token is in its way
    command = [sys.executable, "-c", STRANGER, address.partition("=")[2]]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def listened(session: int) -> set[tuple[str, int]]:
    """Returns the addresses, as the kernel writes them, and ports on which the processes of a session listen."""
    sockets = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                sockets |= {str(file.readlink()) for file in (folder / "fd").iterdir()}
        except OSError:
            continue
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                address, _, port = local.partition(":")
                found.add((address, int(port, 16)))
    return found


def _is_raylet(path: Path, session: int) -> bool:
    try:
        member = int((path.parent / "stat").read_text().rpartition(")")[2].split()[3])
        return member == session and b"raylet/raylet" in path.read_bytes()
    except OSError:
        return False


def test_f13_a_killed_worker_costs_its_trial_one_more_try_and_others_nothing(story: Story, whole: Path) -> None:
    (again,) = (entry for entry in ended(story.directory) if entry["reason"])
    assert again["status"] == "completed"
    assert again["reason"] == "its process died; tried again"
    assert story.resumed.returncode == 0, story.resumed.stderr
    demand_same(story.directory, whole)


def test_f20_nothing_of_ours_survives_a_killed_driver_by_ten_seconds(story: Story) -> None:
    assert story.survivors == []


def test_f32_a_stranger_without_the_token_is_refused(story: Story) -> None:
    assert story.stranger.returncode != 0
    assert "'CPU'" not in story.stranger.stdout
    assert "uthentic" in story.stranger.stderr or "token" in story.stranger.stderr.lower(), story.stranger.stderr[
        -2000:
    ]


def test_f32_it_listens_on_the_loopback_interface_alone_and_has_no_dashboard(story: Story) -> None:
    assert len(story.listening) > 5
    assert {address for address, _ in story.listening} <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert not {port for _, port in story.listening} & set(range(8265, 8316))  # where Ray puts its dashboard


def test_f32_a_secret_of_the_environment_is_nowhere(story: Story) -> None:
    assert "noisy" in story.logs  # what workers print is there
    for place in (story.logs, story.said):
        assert SECRET not in place
    for path in story.directory.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
