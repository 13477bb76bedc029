"""How many trials a cluster has room for: node by node, since no trial spans two."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTEXT_BYTES = 2**30
"""What a process takes of a GPU before it does anything: CUDA's context and the libraries' handles."""


@dataclass(frozen=True)
class Need:
    """What a trial takes of a node.

    Attributes:
        cpus, gpus: Fractions share one.
        memory: Bytes of the machine's.
        labels: That the node must bear.
    """

    cpus: float
    gpus: float = 0.0
    memory: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> dict[str, float]:
        """By Ray's names, without what isn't needed."""
        needs = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        return {name: amount for name, amount in needs.items() if amount}

    def __str__(self) -> str:
        memory = [f"{self.memory / 2**30:.3g} GiB of memory"] if self.memory else []
        labels = [f"the label {name}={value}" for name, value in self.labels.items()]
        gpus = [f"{self.gpus:g} GPUs"] if self.gpus else []
        return ", ".join([f"{self.cpus:g} CPUs", *gpus, *memory, *labels])


def room(nodes: Iterable[Mapping[str, Any]], need: Need) -> int:
    """Returns how many trials fit into the living nodes at once.

    Args:
        nodes: As ``ray.nodes()`` tells them.
    """
    return sum(_fit(node, need) for node in nodes if node["Alive"])


def gpu_share(needed: int, memory: int, most: int) -> float:
    """Returns the fraction of a GPU that a trial gets: as many trials as its memory holds, but no more than ``most``.

    Args:
        needed: Bytes of a training step, by arithmetic; kernels' workspaces come on top, about half as much again.
        memory: The GPU's.
        most: How many the CPUs beside a GPU can feed.
    """
    each = CONTEXT_BYTES + 1.5 * needed
    return 1 / max(1, min(most, int(memory / each)))


def _fit(node: Mapping[str, Any], need: Need) -> int:
    labels = node.get("Labels") or {}
    if any(labels.get(name) != value for name, value in need.labels.items()):
        return 0
    # A GPU may be shared, but a share is of one GPU: of two at .4 each, two and two fit, and not five.
    fits = [_whole(node, name, amount) for name, amount in need.resources.items()]
    return min(fits, default=0)


def _whole(node: Mapping[str, Any], name: str, amount: float) -> int:
    there = float(node["Resources"].get(name, 0.0))
    if name == "GPU" and amount < 1:
        return int(there) * math.floor(1 / amount + 1e-9)
    return math.floor(there / amount + 1e-9)
