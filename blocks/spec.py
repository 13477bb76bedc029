"""A network as data: stem, stages, head. It can be costed without being built, and built without more being said."""

from __future__ import annotations

from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

from pydantic import AfterValidator, ValidationError

from blocks import walk
from blocks.base import Count, Spec
from blocks.block import BLOCKS, BlockSpec, Site
from blocks.cost import Cost, Shape, demand_shape
from blocks.errors import InfeasibleSpec
from blocks.parts.head import HEADS, HeadSpec
from blocks.parts.head.linear import LinearHeadSpec
from blocks.parts.stem import STEMS, StemSpec
from blocks.parts.stem.conv3x3 import Conv3x3StemSpec
from blocks.walk import LIMITS, Limits

if TYPE_CHECKING:
    from blocks.network import Network


class BlockCost(NamedTuple):
    """A row of `NetworkSpec.cost_by_block`.

    Attributes:
        name: Of the module: ``stem``, ``stages.0.0``, ..., ``head``.
        kind: Of the stem, block or head.
        output: C H W; the head's is (classes, 1, 1).
    """

    name: str
    kind: str
    output: Shape
    cost: Cost


class StageSpec(Spec):
    """``depth`` blocks of one kind at one ``width``; the first has the ``stride``."""

    block: Annotated[BlockSpec, BLOCKS]
    depth: Count = 1
    width: Count
    stride: Count = 1


def _at_least_one(stages: tuple[StageSpec, ...]) -> tuple[StageSpec, ...]:
    """Says so once; pydantic's ``min_length`` would also complain whenever a stage is wrong."""
    if not stages:
        raise ValueError("a network needs at least 1 stage")
    return stages


class NetworkSpec(Spec):
    """A whole network, from images of N C H W to N logits a class."""

    in_channels: Count = 3
    stem: Annotated[StemSpec, STEMS] = Conv3x3StemSpec()
    stages: Annotated[tuple[StageSpec, ...], AfterValidator(_at_least_one)]
    head: Annotated[HeadSpec, HEADS] = LinearHeadSpec()

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """Reads a spec from a YAML file.

        Raises:
            InputError: If the file can't be read or isn't a network; the message says where, and what is allowed.
        """
        from blocks.source import InputError, read_yaml

        source = read_yaml(path)
        if {"name", "network"} <= source.data.keys():
            raise InputError(
                f"{path}: this is a study, not a network: put what its 'network' says into a file of its own, "
                "or take the winner.yaml of a run of it"
            )
        try:
            return cls.model_validate(source.data)
        except ValidationError as error:
            raise source.explain(error) from None

    def to_yaml(self) -> str:
        """Returns the spec as YAML, every field written out."""
        from ruamel.yaml import YAML

        text = StringIO()
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump(self.plain(), text)
        return text.getvalue()

    def build(self, seed: int | None = None, *, limits: Limits = LIMITS) -> Network:
        """Builds the network, initialised, in training mode.

        Args:
            seed: Of the initial values (see `blocks.initialisation`); None draws one from torch's global generator.
            limits: What is refused, by arithmetic, before anything is allocated.

        Raises:
            InfeasibleSpec: If no input size makes the network possible, or it is over the limits.
        """
        walk.demand(self, limits)
        from blocks.network import build

        return build(self, seed)

    def cost(self, shape: Shape) -> Cost:
        """Returns what the network costs for one image of C H W, by arithmetic; the conventions are `blocks.cost`'s.

        Raises:
            InfeasibleSpec: If there can be no such network at this input.
            TypeError: If the shape isn't three whole numbers.
        """
        demand_shape(shape)
        return walk.total_cost(self, shape)

    def cost_by_block(self, shape: Shape, *, limits: Limits = LIMITS) -> tuple[BlockCost, ...]:
        """Returns a row for the stem, each block, and the head; their costs sum to `cost`.

        Raises:
            InfeasibleSpec: If there can be no such network at this input, or it has more blocks than the limit.
            TypeError: If the shape isn't three whole numbers.
        """
        demand_shape(shape)
        rows: list[BlockCost] = []
        for part in walk.trace(self, shape):
            if len(rows) + part.repeats > limits.blocks + 2:
                raise InfeasibleSpec(f"more than {limits.blocks:,} blocks are too many to list", part.stage, part.first)
            cost = part.tally.cost()
            rows += [BlockCost(name, part.kind, part.output, cost) for name in part.names()]
        return tuple(rows)

    @property
    def inner_channels(self) -> int:
        """The channels at which the branches of the last stage's blocks work."""
        last = self.stages[-1]
        return last.block.inner_channels(Site(self.out_channels, last.width, 1))

    @cached_property
    def out_channels(self) -> int:
        """The channels that the last stage puts out and the head is given. Raises ``InfeasibleSpec``."""
        return walk.out_channels(self)
