"""A network as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from blocks import totals, walk
from blocks.checkpointing import checkpointed
from blocks.errors import InputTooSmall
from blocks.initialisation import initialise, seeded
from blocks.modules import ResidualSum
from blocks.segments import segment_length

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec


Place = str | tuple[int, int]
"""``"stem"``, ``"head"``, or the indices of a stage and of a block in it."""


class BlockError(RuntimeError):
    """A block's module failed on a map; the message names the stage, the block, and the shape that met it."""


class Network(nn.Module):
    """Stem, stages, head: what a spec describes. Made by ``NetworkSpec.build``, which also initialises it.

    Attributes:
        spec: What it was built from.
        smallest_input: The side, in pixels, of the smallest square image of which something is left at each stride.
        gradient_checkpointing: Whether, while training, short runs of blocks keep only their input for the backward
            pass and are run again in it: less memory for more time (Chen et al. 2016,
            https://arxiv.org/abs/1604.06174). For networks of more than one such run.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.smallest_input = walk.smallest_input(spec)
        self.gradient_checkpointing = False
        stages: dict[int | str, nn.Sequential] = {index: nn.Sequential() for index, _ in enumerate(spec.stages)}
        stem, *blocks, head = walk.trace(spec, (spec.in_channels, self.smallest_input, self.smallest_input))
        self.stem = stem.layer.build()
        self.stages = nn.Sequential(*stages.values())
        self.head = head.layer.build()
        for part in blocks:
            stages[part.stage].extend(part.layer.build() for _ in range(part.repeats))
        self._set_drop_path(spec.drop_path)

    def forward(self, images: Tensor) -> Tensor:  # N C H W -> N logits
        if min(images.shape[-2:]) < self.smallest_input and not torch.compiler.is_compiling():
            self._demand_fit(images.shape[-2], images.shape[-1])
        maps = self._run([("stem", self.stem)], images)
        blocks = self.blocks()
        step = segment_length(len(blocks)) if self.gradient_checkpointing and self.training else len(blocks)
        for first in range(0, len(blocks), step):
            segment = blocks[first : first + step]
            if step < len(blocks):
                modules = [module for _, module in segment]
                maps = checkpointed(partial(self._run, segment), modules, maps)
            else:
                maps = self._run(segment, maps)
        return self._run([("head", self.head)], maps)

    def blocks(self) -> list[tuple[tuple[int, int], nn.Module]]:
        """Returns the blocks of all stages in order, each with its stage and its index there."""
        return [
            ((stage, index), block)
            for stage, blocks in enumerate(self.stages)
            for index, block in enumerate(blocks.children())
        ]

    def _run(self, modules: Sequence[tuple[Place, nn.Module]], maps: Tensor) -> Tensor:
        for place, module in modules:
            maps = _run(place, module, maps)
        return maps

    def _demand_fit(self, height: int, width: int) -> None:
        """Refuses images of which nothing is left somewhere. Long and narrow ones may do: a stride needs one side."""
        try:
            totals.total_cost(self.spec, (self.spec.in_channels, height, width))
        except InputTooSmall as error:
            raise ValueError(f"images of {height}x{width} are too small for this network: {error}") from None

    def _set_drop_path(self, last: float) -> None:
        blocks = self.blocks()
        for index, (_, block) in enumerate(blocks, 1):
            for module in block.modules():
                if isinstance(module, ResidualSum):
                    module.drop_path = last * index / len(blocks)


def _run(place: Place, module: nn.Module, maps: Tensor) -> Tensor:
    try:
        out: Tensor = module(maps)
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        if isinstance(error, (torch.OutOfMemoryError, torch.AcceleratorError)):  # the device's, not the network's
            raise
        where = f"the {place}" if isinstance(place, str) else f"stage {place[0]}, block {place[1]}"
        raise BlockError(f"{where}, given {tuple(maps.shape)}: {error}") from error
    return out


def build(spec: NetworkSpec, seed: int | None = None) -> Network:
    """Builds a network and initialises it; torch's global generator is left as it was, unless it chooses the seed.

    Args:
        spec: Taken to be feasible; ``NetworkSpec.build`` sees to that first.
        seed: None draws one from torch's global generator.
    """
    if seed is None:
        seed = int(torch.randint(2**63 - 1, ()))
    with seeded(seed):
        network = Network(spec)
    initialise(network, seed)
    return network
