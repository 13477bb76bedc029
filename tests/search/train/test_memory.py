from __future__ import annotations

import gc
import sys
import weakref

import pytest
import torch

from search.data import Splits
from search.train import memory
from search.train.loop import train
from search.train.memory import MemoryMeter
from search.trial import Job, run
from tests.search.train.specs import network_for, recipe_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from Linux's /proc")
CPU = torch.device("cpu")
MIB = 2**20


def test_a_peak_is_seen_after_it_has_passed_and_not_again_by_the_next_meter() -> None:
    for size in (64, 16):
        meter = MemoryMeter(CPU)
        block = torch.ones(size * MIB, dtype=torch.uint8)
        del block
        peak = meter.peak()
        assert peak is not None
        assert 0.9 * size * MIB < peak < (size + 16) * MIB


def test_larger_batches_take_more(digits: Splits) -> None:
    network = network_for(digits, width=16)
    train(network, recipe_of(epochs=1), digits, 0)  # what torch loads late is loaded now
    small, large = (train(network, recipe_of(epochs=1, batch_size=size), digits, 0).peak_memory for size in (16, 1024))
    assert small is not None
    assert large is not None
    assert large > small + 20 * MIB


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(memory, "RESET", memory.Path(str(tmp_path)) / "missing" / "clear_refs")
    assert MemoryMeter(CPU).peak() is None


def test_what_a_trial_leaves_in_circles_is_freed_and_modules_are_left_alone() -> None:
    memory.give_memory_back()
    assert gc.get_freeze_count() > 10_000

    class Node:
        itself: Node

    node = Node()
    node.itself = node
    seen = weakref.ref(node)
    del node
    memory.give_memory_back()
    assert seen() is None


@pytest.mark.slow
def test_a_worker_does_not_grow_from_trial_to_trial(patterns: Splits) -> None:
    """Twenty trials of different networks leave no more resident than the first few did."""

    def trial(number: int) -> int:
        block = ("basic", "bottleneck", "preactivation_basic")[number % 3]
        network = network_for(patterns, width=8 + 4 * (number % 5), depth=1 + number % 2, block=block)
        configuration = {"network": network.plain(), "train": recipe_of(epochs=1).plain()}
        reply = run(Job("trial", "train", configuration, number, keep_weights=True), patterns, "cpu")
        assert reply["status"] == "completed"
        return memory.resident("VmRSS")

    sizes = [trial(number) for number in range(20)]
    assert max(sizes[12:]) < max(sizes[:8]) + 8 * MIB
