"""Real workers of a real Ray: retried, replaced, and sharing one copy of the images."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from search.room import gpu_share
from tests.faults.workers import MIB


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the workers replied."""
    command = [sys.executable, "-m", "tests.faults.workers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_f13_f15_f17_each_mishap_has_its_own_end_and_the_others_are_untouched(told: dict[str, Any]) -> None:
    found = told["mishaps"]
    assert found["first"]["status"] == found["last"]["status"] == "completed"
    assert "halvings" not in found["last"]
    assert (found["large"]["status"], found["large"]["micro_batch"]) == ("completed", 32)
    assert "64 images at a time" in found["large"]["reason"]
    assert found["large"]["process"] != found["first"]["process"]
    assert found["lost"]["status"] == "failed"
    assert "its device was lost; tried again" in found["lost"]["reason"]
    assert f"in process {found['last']['process']}" not in found["lost"]["reason"]  # never used again
    assert found["killed"]["status"] == "failed"
    assert "the worker died 3 times" in found["killed"]["reason"]


@pytest.mark.slow
def test_the_images_are_one_copy_a_machine(told: dict[str, Any]) -> None:
    """Each worker reads every page of 256 MiB, and has none of them for itself."""
    assert {reply["total"] for reply in told["shared"].values()} == {256 * MIB // 4096}
    most, without = (max(reply["private"] for reply in told[name].values()) for name in ("shared", "bare"))
    assert most < without + 32 * MIB


@pytest.mark.parametrize(
    ("needed", "memory", "most", "trials"),
    [(2**30, 80 * 2**30, 100, 32), (2**30, 80 * 2**30, 8, 8), (100 * 2**30, 80 * 2**30, 8, 1), (0, 16 * 2**30, 99, 16)],
)
def test_a_gpu_is_shared_by_what_fits(needed: int, memory: int, most: int, trials: int) -> None:
    assert gpu_share(needed, memory, most) == pytest.approx(1 / trials)
