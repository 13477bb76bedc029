"""A study on a cluster whose nodes come and go: real nodes, really killed, and really cut off."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.record import read
from search.room import Need, room
from tests.faults.runs import count, demand_whole, wait_until
from tests.search.command import write_study

SLEEPY = """
import time
from pathlib import Path
from typing import Literal
import torch
from blocks import BlockSpec, Site, register_block


class Sleepy(torch.nn.Conv2d):
    def forward(self, images):
        if self.training and len(images) == 16 and not Path({enough!r}).exists():
            time.sleep(0.5)
        return super().forward(images)


@register_block
class SleepySpec(BlockSpec):
    kind: Literal["sleepy"] = "sleepy"

    def module(self, site: Site) -> torch.nn.Module:
        return Sleepy(site.in_channels, site.width, 3, site.stride, 1)
"""
LONG = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
plugins: [sleepy.py]
network:
  stem: {kind: conv3x3, width: 4}
  stages: [{block: sleepy, depth: 1, width: 8}]
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors: {lr: {path: train.optimizer.lr, levels: [0.2]}}
design: {kind: one_at_a_time, seeds: 30}
confirm: {finalists: 1, seeds: 1}
"""
"""Trials that take time and no computing, until there is a file that says that it is enough."""

SOON = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "3",
}
"""Ray is to take a node that doesn't answer for gone after seconds, not after half a minute."""


class Nodes:
    """The cluster's process."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.faults.nodes"]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = self._line()

    def do(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        assert self._line() == "done"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """With a token that the cluster and who joins it share; a socket's path has no room for a test's long folder."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield {**os.environ, **token, **SOON, "RAY_TMPDIR": folder}


@pytest.fixture
def nodes(environment: dict[str, str]) -> Iterator[Nodes]:
    cluster = Nodes(environment)
    yield cluster
    assert cluster.process.stdin is not None
    assert cluster.process.stdout is not None
    cluster.process.stdin.close()
    cluster.process.wait(60)
    cluster.process.stdout.close()


def ended(directory: Path) -> list[dict[str, Any]]:
    return [entry for entry in read(directory / "trials.jsonl")[0] if entry["event"] == "finished"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_f14_a_node_that_comes_is_used_and_one_that_goes_costs_only_time(
    tmp_path: Path, environment: dict[str, str], nodes: Nodes
) -> None:
    enough, directory, said = tmp_path / "enough", tmp_path / "runs" / "tiny", tmp_path / "said"
    (tmp_path / "sleepy.py").write_text(SLEEPY.format(enough=str(enough)))
    write_study(tmp_path, LONG)
    command = [sys.executable, "-m", "search.run", "study.yaml", "--ray", nodes.address]
    stranger = {name: value for name, value in environment.items() if not name.startswith("RAY_AUTH")}
    refused = subprocess.run(command, cwd=tmp_path, env=stranger, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2, refused.stderr  # without the token
    assert f"no Ray at {nodes.address}: " in refused.stderr
    assert "a cluster with a token wants RAY_AUTH_MODE=token and its RAY_AUTH_TOKEN here" in refused.stderr
    assert "Traceback" not in refused.stderr
    with said.open("w") as file:
        driver = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=file, stderr=file)
    wait_until(lambda: count(directory, "finished") >= 2 or driver.poll() is not None, 150)
    assert driver.poll() is None, said.read_text()
    assert len(seen(directory)) == 1
    for times, strike in enumerate(("kill", "freeze"), 1):
        before = seen(directory)
        nodes.do("add")
        wait_until(lambda before=before: seen(directory) > before, 150)  # it is used
        nodes.do(strike)
        wait_until(lambda times=times: len(moved(directory)) == times, 200)  # what flew there has run elsewhere
    nodes.do("thaw")  # and what it still replies is no one's
    begun = count(directory, "finished")
    wait_until(lambda: count(directory, "finished") >= begun + 3, 200)
    enough.touch()
    assert driver.wait(400) == 0, said.read_text()
    assert all(entry["status"] == "completed" for entry in ended(directory))
    assert max(Counter(entry["trial"] for entry in ended(directory)).values()) == 1
    # Ray may tell of the dead process before it knows of the dead node.
    told = {"its node left the cluster; run elsewhere", "its process died; tried again"}
    assert set(moved(directory)) <= told
    assert len(moved(directory)) == 2
    demand_whole(directory)


def seen(directory: Path) -> set[str]:
    """Returns the nodes on which trials have ended."""
    return {entry["node"] for entry in ended(directory)}


def moved(directory: Path) -> list[str]:
    """Returns what is told of the trials that were tried again."""
    return [entry["reason"] for entry in ended(directory) if entry["reason"]]


def node(**resources: float) -> dict[str, Any]:
    return {"Alive": True, "Resources": {"CPU": 4.0, **resources}, "Labels": {"zone": "a"}}


@pytest.mark.parametrize(
    ("nodes_there", "need", "fits"),
    [
        ([node()], Need(1), 4),
        ([node(), node()], Need(3), 2),  # no trial spans two nodes
        ([node(GPU=2.0)], Need(1, gpus=0.4), 4),
        ([node(GPU=2.0)], Need(0.1, gpus=0.4), 4),  # nor two GPUs
        ([node(memory=8e9)], Need(1, memory=3e9), 2),
        ([node()], Need(1, labels={"zone": "b"}), 0),
        ([node()], Need(1, labels={"zone": "a"}), 4),
        ([{**node(), "Alive": False}], Need(1), 0),
        ([node()], Need(1, gpus=1), 0),
    ],
)
def test_room_is_counted_node_by_node(nodes_there: list[dict[str, Any]], need: Need, fits: int) -> None:
    assert room(nodes_there, need) == fits
