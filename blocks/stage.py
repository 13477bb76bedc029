"""A stage as data: blocks of one kind, but for those that are overridden."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, StrictInt, ValidationError, model_validator

from blocks.base import Count, Spec
from blocks.block import BLOCKS, BlockSpec
from blocks.errors import InfeasibleSpec

MAX_OVERRIDES = 10_000


class Override(Spec):
    """Some blocks of a stage that are unlike the others.

    Attributes:
        at: Which: 0 is the stage's first block, -1 its last.
        set: The fields that they have otherwise; with a ``kind``, the whole block.
    """

    at: Annotated[tuple[StrictInt, ...], Field(min_length=1)]
    set: Annotated[dict[str, Any], Field(min_length=1)]

    def applied(self, block: BlockSpec) -> BlockSpec:
        """Returns a block with these fields. Raises ``ValueError``, also pydantic's."""
        return BLOCKS.parse(self.set if "kind" in self.set else {**block.plain(), **self.set})


class StageSpec(Spec):
    """``depth`` blocks of one kind at one ``width``; the first has the ``stride``. Single blocks can be overridden."""

    block: Annotated[BlockSpec, BLOCKS]
    depth: Count = 1
    width: Count
    stride: Count = 1
    overrides: tuple[Override, ...] = ()

    @model_validator(mode="after")
    def _overrides_apply(self) -> Self:
        for index, override in enumerate(self.overrides):
            try:
                override.applied(self.block)
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                where = ".".join(map(str, ("overrides", index, "set", *problem["loc"])))
                raise ValueError(f"{where}: {problem['msg']}") from None
        return self

    def runs(self, stage: int) -> list[tuple[BlockSpec, int]]:
        """Returns the blocks as runs of one spec each: the spec, and the index behind the run's last block.

        Raises:
            InfeasibleSpec: If an override is of a block that this stage, of that index in its network, doesn't have.
        """
        if not self.overrides:
            return [(self.block, self.depth)]
        try:
            return self._runs
        except InfeasibleSpec as error:
            raise error.at(stage) from None

    @cached_property
    def _runs(self) -> list[tuple[BlockSpec, int]]:
        named = sum(len(override.at) for override in self.overrides)
        if named > MAX_OVERRIDES:
            raise InfeasibleSpec(f"overrides of {named:,} blocks are more than {MAX_OVERRIDES:,}")
        own: dict[int, BlockSpec] = {}
        for override in self.overrides:
            applied: dict[BlockSpec, BlockSpec] = {}
            for at in override.at:
                if not -self.depth <= at < self.depth:
                    raise InfeasibleSpec(f"an override of block {at}, but there are {self.depth} blocks")
                block = own.get(at % self.depth, self.block)
                if block not in applied:
                    applied[block] = override.applied(block)
                own[at % self.depth] = applied[block]
        runs: list[tuple[BlockSpec, int]] = []
        end = 0
        for index in sorted(own):
            if index > end:
                runs.append((self.block, index))
            end = index + 1
            runs.append((own[index], end))
        return [*runs, (self.block, self.depth)] if end < self.depth else runs

    def block_at(self, index: int) -> BlockSpec:
        """Returns the spec of one block; a negative index counts from the last."""
        return next(block for block, end in self.runs(0) if index % self.depth < end)
