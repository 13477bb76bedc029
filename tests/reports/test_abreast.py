"""Work shared out among processes comes to the same, and what goes wrong in a copy is told where it was asked for."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import reports

ROOT = Path(reports.__file__).parent.parent


def run(body: str) -> str:
    """Runs a script in a process of its own, since pytest's has threads, which must not be copied."""
    script = "import os, signal, time\nfrom functools import partial\nfrom reports.abreast import abreast\n"
    command = [sys.executable, "-W", "error", "-c", script + textwrap.dedent(body)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=60).stdout


def test_results_come_in_the_order_of_the_tasks_whoever_did_them() -> None:
    said = run(
        """
        def task(number):
            time.sleep(0.05 * (number % 3 == 0))
            return number, os.getpid()
        for processes in (1, 2, 3):
            found = abreast([partial(task, number) for number in range(40)], processes)
            assert [number for number, _ in found] == list(range(40))
            print(len({process for _, process in found}))
        assert abreast([], 2) == []
        """
    )
    assert said.split() == ["1", "2", "3"] if sys.platform == "linux" else ["1", "1", "1"]


def test_what_a_task_raises_is_raised_and_no_process_stays() -> None:
    said = run(
        """
        parent = os.getpid()
        def task(number, own):
            time.sleep(0.05)
            if (os.getpid() == parent) is own:
                raise OSError(28, "No space left on device")
        for own in (True, False):
            try:
                abreast([partial(task, number, own) for number in range(8)], 2)
            except OSError as error:
                print(error.errno)
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                print("none")
        """
    )
    assert said.split() == ["28", "none", "28", "none"] if sys.platform == "linux" else ["28", "none", "none"]


def test_a_copy_that_is_killed_is_told_of() -> None:
    said = run(
        """
        parent = os.getpid()
        def task():
            time.sleep(0.05)
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
        try:
            abreast([task] * 8, 2)
        except ChildProcessError as error:
            print(error)
        """
    )
    assert said == ("a process that worked on the page has died\n" if sys.platform == "linux" else "")
