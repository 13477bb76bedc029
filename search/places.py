"""Where the workers of a cluster are, and what their nodes tell of them, also of those that are dead."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from search.ray_worker import Place, end_there, last_lines

TELL_SECONDS = 5.0
"""How long a node is asked about one of its processes."""


class Places:
    """The places of workers, asked for when they are made: of a dead one nothing more could be known."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._told: dict[Any, Any] = {}

    def follow(self, worker: Any) -> None:
        """Takes note of a new worker."""
        self._told[worker] = worker.place.remote()

    def forget(self, worker: Any) -> None:
        """Lets go of a worker that was ended."""
        self._told.pop(worker, None)

    def has_begun(self, worker: Any) -> bool:
        """Whether a worker has its place, or has failed to get it; else it waits for room."""
        ready, _ = self._ray.wait([self._told[worker]], timeout=0)
        return bool(ready)

    def of(self, worker: Any) -> Place | None:
        """Returns where a worker is, or was; None if it never told."""
        try:
            place: Place = self._ray.get(self._told[worker], timeout=TELL_SECONDS)
        except Exception:  # it died before it could tell, or its node is gone with what it told
            return None
        return place

    def is_on(self, worker: Any, nodes: Set[str]) -> bool:
        """Whether a worker is known to be, or to have been, on one of these nodes."""
        place = self.of(worker) if nodes else None
        return place is not None and place.node in nodes

    def is_there(self, worker: Any) -> bool:
        """Whether the node of a worker is in the cluster still, as far as is known."""
        place = self.of(worker)
        return place is None or any(node["NodeID"] == place.node and node["Alive"] for node in self._ray.nodes())

    def last_lines(self, worker: Any) -> list[str]:
        """Returns what a worker wrote last; nothing where its node doesn't answer."""
        found: list[str] | None = self._ask(last_lines, worker)
        return found or []

    def end(self, worker: Any) -> None:
        """Ends a worker's process, which may hear nothing any more, and those that it started."""
        self._ask(end_there, worker)

    def _ask(self, function: Any, worker: Any) -> Any:
        """Returns what a function returns of a worker's process on its node; None where that doesn't answer."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = self.of(worker)
        if place is None:
            return None
        strategy = NodeAffinitySchedulingStrategy(place.node, soft=False)
        asked = self._ray.remote(num_cpus=0, max_retries=0)(function).options(scheduling_strategy=strategy)
        try:
            return self._ray.get(asked.remote(place.process), timeout=TELL_SECONDS)
        except Exception:
            return None
