"""What ends a dead driver's processes ends those, and never anybody else's."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from search import reaper

TOKEN = "0123456789abcdef" * 4
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DRIVER = """
import subprocess, sys, time
from search import reaper
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
process = subprocess.Popen([sys.executable, "-I", "-S", reaper.__file__], stdin=subprocess.PIPE, start_new_session=True)
number, start = reaper.myself()
process.stdin.write(f"{'%s'} {number} {start}\\n".encode())
process.stdin.flush()
print(child.pid, flush=True)
time.sleep(60)
"""


def reap(said: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Runs the reaper as if the driver had said this and died; returns its exit code, and a bystander."""
    bystander = subprocess.Popen(SLEEP)
    command = [sys.executable, "-I", "-S", str(Path(reaper.__file__))]
    done = subprocess.run(command, input=said.encode(), timeout=30, check=False)
    return done.returncode, bystander


SAID = (
    "",
    "\n",
    f"{TOKEN}\n",
    f"{TOKEN} 1\n",
    f"{TOKEN} 1 5",
    " 1 5\n",
    "short 1 5\n",
    f"{TOKEN} x 5\n",
    f"{TOKEN} 1 -1\n",
)


@pytest.mark.parametrize("said", SAID, ids=range(len(SAID)))  # a test's name is in the environment of its processes
def test_a_driver_that_died_too_early_costs_nobody_his_life(said: str) -> None:
    """The process is adopted by the first process of the machine then, whose descendants are everybody."""
    code, bystander = reap(said)
    assert code == 0
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_descendants_are_of_that_process_and_of_no_other_of_its_number() -> None:
    child = subprocess.Popen(SLEEP)
    number, start = reaper.myself()
    assert child.pid in {found for found, _ in reaper.descendants((number, start))}
    assert reaper.descendants((number, start + "0")) == set()
    child.kill()
    child.wait()


def test_what_a_killed_driver_leaves_is_ended() -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER % TOKEN], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    child = int(driver.stdout.readline())
    time.sleep(3 * reaper.LOOK_SECONDS)
    driver.kill()
    driver.wait()
    driver.stdout.close()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and child in {number for number, _ in reaper.processes()}:
        time.sleep(0.2)
    assert child not in {number for number, _ in reaper.processes()}
