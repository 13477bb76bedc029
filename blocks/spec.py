"""A network as data: stem, stages, head. It can be costed without being built, and built without more being said."""

from __future__ import annotations

from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, ValidationError, model_validator

from blocks import totals, walk
from blocks.base import Count, Rate, Spec
from blocks.block import Site
from blocks.cost import Cost, Memory, Shape, demand_shape
from blocks.errors import InfeasibleSpec
from blocks.expand import expanded
from blocks.limits import LIMITS, Limits, demand
from blocks.parts.head import HEADS, HeadSpec
from blocks.parts.head.linear import LinearHeadSpec
from blocks.parts.stem import STEMS, StemSpec
from blocks.parts.stem.conv3x3 import Conv3x3StemSpec
from blocks.stage import StageSpec

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


class LayerCost(NamedTuple):
    """A row of `NetworkSpec.cost_by_layer`.

    Attributes:
        stage: ``stem``, ``0``, ``1``, ..., ``head``.
        kind: ``convolution``, ``depthwise convolution``, ``norm``, ``activation``, ...
        saved: Bytes that the backward pass keeps of them for each image.
        saved_once: Bytes that it keeps, whatever the batch.
    """

    stage: str
    kind: str
    cost: Cost
    saved: int
    saved_once: int


def _at_least_one(stages: tuple[StageSpec, ...]) -> tuple[StageSpec, ...]:
    """Says so once; pydantic's ``min_length`` would also complain whenever a stage is wrong."""
    if not stages:
        raise ValueError("a network needs at least 1 stage")
    return stages


class NetworkSpec(Spec):
    """A whole network, from images of N C H W to N logits a class.

    While training, the branch of a residual sum is dropped, image by image: in the last block with probability
    ``drop_path``, in the l-th of L blocks with l/L of it (Huang et al. 2016, https://arxiv.org/abs/1603.09382).
    """

    in_channels: Count = 3
    stem: Annotated[StemSpec, STEMS] = Conv3x3StemSpec()
    stages: Annotated[tuple[StageSpec, ...], AfterValidator(_at_least_one)]
    head: Annotated[HeadSpec, HEADS] = LinearHeadSpec()
    drop_path: Rate = 0

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, given: Any) -> Any:
        return expanded(given)

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
        demand(self, limits)
        from blocks.network import build

        return build(self, seed)

    def cost(self, shape: Shape) -> Cost:
        """Returns what the network costs for one image of C H W, by arithmetic; the conventions are `blocks.cost`'s.

        Raises:
            InfeasibleSpec: If there can be no such network at this input.
            TypeError: If the shape isn't three whole numbers.
        """
        demand_shape(shape)
        return totals.total_cost(self, shape)

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
            each = part.each
            cost = Cost(each.macs, each.params, each.activations)
            rows += [BlockCost(name, part.kind, each.output, cost) for name in part.names()]
        return tuple(rows)

    def training_memory(
        self, shape: Shape, batch_size: int, optimizer_states: int = 1, *, checkpointing: bool = False
    ) -> Memory:
        """Returns what a training step needs, by arithmetic: bytes, in float32.

        Args:
            shape: C H W of an image.
            batch_size: Images a step.
            optimizer_states: Numbers that the optimizer remembers of each parameter: SGD with momentum 1, AdamW 2.
            checkpointing: Whether runs of blocks keep only their input; then it is an upper bound.

        Raises:
            InfeasibleSpec: If there can be no such network at this input.
            TypeError: If the shape isn't three whole numbers.
            ValueError: If a number is too small to mean anything.
        """
        demand_shape(shape)
        for name, number, least in (("batch_size", batch_size, 1), ("optimizer_states", optimizer_states, 0)):
            if type(number) is not int or number < least:
                raise ValueError(f"{name} is a whole number of at least {least}, not {number!r}")
        return totals.training_memory(self, shape, batch_size, optimizer_states, checkpointing)

    def cost_by_layer(self, shape: Shape) -> tuple[LayerCost, ...]:
        """Returns a row for each stage (stem and head too) and kind of layer in it; their costs sum to `cost`.

        Raises:
            InfeasibleSpec: If there can be no such network at this input.
            TypeError: If the shape isn't three whole numbers.
        """
        demand_shape(shape)
        totals: dict[tuple[str, str], list[int]] = {}
        for part in walk.trace(self, shape):
            for kind, *numbers in part.rows():
                total = totals.setdefault((str(part.stage), kind), [0] * 5)
                for index, number in enumerate(numbers):
                    total[index] += part.repeats * number
        return tuple(
            LayerCost(stage, kind, Cost(*numbers[:3]), *numbers[3:]) for (stage, kind), numbers in totals.items()
        )

    @cached_property
    def structure(self) -> str:
        """A text that two specs share exactly when they build the same network, whatever their fields say.

        Raises:
            InfeasibleSpec: If there can be no such network.
        """
        return totals.structure(self)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is possible, but hardly meant: a sentence each.

        Raises:
            InfeasibleSpec: If there can be no such network.
        """
        if totals.ends_normed(self):
            return ()
        last = self.stages[-1].block_at(-1).kind
        return (
            f"nothing normalises what the last block puts out: a {last} block ends without a norm, and this head has "
            "none; give the head a norm (and an activation), or a pooled_norm",
        )

    @property
    def inner_channels(self) -> int:
        """The channels at which the branch of the last block works."""
        last = self.stages[-1]
        return last.block_at(-1).inner_channels(Site(self.out_channels, last.width, 1))

    @cached_property
    def out_channels(self) -> int:
        """The channels that the last stage puts out and the head is given. Raises ``InfeasibleSpec``."""
        return totals.out_channels(self)
