"""A network as a torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from blocks import walk
from blocks.initialisation import initialise, seeded

if TYPE_CHECKING:
    from blocks.spec import NetworkSpec


class Network(nn.Module):
    """Stem, stages, head: what a spec describes. Made by ``NetworkSpec.build``, which also initialises it.

    Attributes:
        spec: What it was built from.
        smallest_input: The side, in pixels, below which an image has nothing left at some stride.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.smallest_input = walk.smallest_input(spec)
        stages: dict[int | str, nn.Sequential] = {index: nn.Sequential() for index, _ in enumerate(spec.stages)}
        stem, *blocks, head = walk.trace(spec, (spec.in_channels, self.smallest_input, self.smallest_input))
        self.stem = stem.layer.build()
        self.stages = nn.Sequential(*stages.values())
        self.head = head.layer.build()
        for part in blocks:
            stages[part.stage].extend(part.layer.build() for _ in range(part.repeats))

    def forward(self, images: Tensor) -> Tensor:  # N C H W -> N logits
        if max(images.shape[-2:]) < self.smallest_input:
            raise ValueError(
                f"images of {images.shape[-2]}x{images.shape[-1]} are too small for this network: "
                f"a side must have at least {self.smallest_input} pixels"
            )
        logits: Tensor = self.head(self.stages(self.stem(images)))
        return logits


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
