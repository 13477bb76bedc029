"""A study on a cluster whose nodes come and go: a real second node, really killed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.record import read
from search.room import Need, room
from tests.faults.runs import count, demand_whole, wait_until
from tests.search.command import STUDY, write_study

LONG = STUDY.replace("epochs: 2", "epochs: 15").replace(
    "design: {kind: one_at_a_time, seeds: 2", "design: {kind: one_at_a_time, seeds: 6"
)


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
        yield {**os.environ, **token, "RAY_TMPDIR": folder}


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
    write_study(tmp_path, LONG)
    directory = tmp_path / "runs" / "tiny"
    command = [sys.executable, "-m", "search.run", "study.yaml", "--ray", nodes.address]
    with (tmp_path / "said").open("w") as said:
        driver = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=said, stderr=said)
    wait_until(lambda: count(directory, "finished") >= 2 or driver.poll() is not None, 150)
    assert driver.poll() is None, (tmp_path / "said").read_text()
    assert len({entry["node"] for entry in ended(directory)}) == 1
    nodes.do("add")
    wait_until(lambda: len({entry["node"] for entry in ended(directory)}) == 2, 240)  # it is used
    begun = count(directory, "started")
    wait_until(lambda: count(directory, "started") > begun, 60)
    nodes.do("kill")
    before = count(directory, "finished")
    wait_until(lambda: count(directory, "finished") >= before + 3, 150)
    assert driver.wait(400) == 0, (tmp_path / "said").read_text()
    demand_whole(directory)
    # Ray may tell of the dead process before it knows of the dead node.
    said = ("its node left the cluster; run elsewhere", "its process died; tried again")
    moved = [entry for entry in ended(directory) if entry["reason"] in said]
    assert all(entry["status"] == "completed" for entry in ended(directory))
    assert len(moved) >= 1, [entry["reason"] for entry in ended(directory)]


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
