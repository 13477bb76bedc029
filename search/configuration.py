"""A configuration: a network, a recipe and data, resolved; what an arm of a study is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from blocks import NetworkSpec
from blocks.base import canonical_json
from blocks.cost import Memory
from blocks.source import Location
from search.data.spec import DataSpec
from search.train.recipe import TrainSpec


@dataclass(frozen=True)
class Configuration:
    """One resolved configuration: what an arm is. Equal configurations are one arm."""

    network: NetworkSpec
    train: TrainSpec
    data: DataSpec

    @cached_property
    def identity(self) -> str:
        """The hash of the resolved network, recipe and data; where data and weights lie on disk left aside."""
        return self._hash(canonical_json(self._plain["network"]))

    @cached_property
    def structure(self) -> str:
        """The hash of what is really trained: two configurations share it when no field that differs does anything.

        Raises:
            InfeasibleSpec: If there can be no such network.
        """
        return self._hash(canonical_json(self.network.structure))

    def _hash(self, network: str) -> str:
        """Returns the hash of canonical JSON whose fields are data, network and train, of a network that is text
        already: recipe and data, which arms share, are written once."""
        text = f'{{"data":{self.data.content_json},"network":{network},"train":{self.train.content_json}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def input(self) -> tuple[int, int, int]:
        """Channels, height and width of the images as the network sees them."""
        return self.data.facts().shape

    @property
    def memory(self) -> Memory:
        """What a training step needs, by arithmetic. Raises ``InfeasibleSpec``."""
        return self.network.training_memory(self.input, self.train.batch_size, self.train.optimizer.states)

    @property
    def step_memory(self) -> Memory:
        """What a training step needs at most with the recipe's checkpointing and images at a time, in float32.

        Raises:
            InfeasibleSpec: If there can be no such network.
        """
        states, images = self.train.optimizer.states, self.train.batch_seen
        return self.network.training_memory(self.input, images, states, checkpointing=self.train.checkpointing)

    @property
    def teacher_memory(self) -> tuple[int, int]:
        """Bytes that a teacher takes beside that: its weights, and its maps for the images that go through at a time.

        Raises:
            InfeasibleSpec: If there can be no such teacher.
        """
        distill = self.train.distill
        return (0, 0) if distill is None else distill.memory(self.input, self.train.batch_seen)

    @property
    def all_memory(self) -> int:
        """Bytes that a training step needs, a teacher's among them. Raises ``InfeasibleSpec``."""
        return self.step_memory.total + sum(self.teacher_memory)

    def plain(self) -> dict[str, Any]:
        """Returns network, train and data as plain data."""
        return dict(self._plain)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return {"network": self.network.shared_plain, "train": self.train.shared_plain, "data": self.data.shared_plain}


class Recalled(Configuration):
    """A configuration that was resolved before, by an earlier session: its network is resolved when it is asked for.

    Args:
        identity, structure: What they were.
        train, data: Of this configuration.
        resolve: Gives all of it.

    Raises:
        ValueError: When it is resolved and isn't what it was.
    """

    def __init__(
        self, identity: str, structure: str, train: TrainSpec, data: DataSpec, resolve: Callable[[], Configuration]
    ) -> None:
        known = {"identity": identity, "structure": structure, "train": train, "data": data}
        self.__dict__.update(known, _resolve=resolve)

    @cached_property
    def network(self) -> NetworkSpec:
        """The network, resolved again."""
        found: Configuration = self.__dict__.pop("_resolve")()
        if found.identity != self.identity:
            raise ValueError(f"the record's arm {self.identity} resolves to {found.identity} now")
        return found.network


class Unresolvable(ValueError):
    """A choice of levels that gives no valid configuration; the message says why.

    Attributes:
        location: The field that it is about, where one alone is.
    """

    def __init__(self, message: str, location: Location = ()) -> None:
        super().__init__(message)
        self.location = location
