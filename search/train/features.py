"""Attention transfer: where in its images a student's stages are active is drawn to where its teacher's are.

Zagoruyko and Komodakis 2017, https://arxiv.org/abs/1612.03928. A stage's attention is the sum of its maps' squares over
the channels, as a vector of length 1 an image; so the two may differ in width, and nothing has to be learned between
them, as FitNets' 1x1 convolutions (https://arxiv.org/abs/1412.6550) would have to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Network


class Watched:
    """Keeps what the last blocks of some stages put out whenever a network runs.

    Args:
        only_training: Whether maps of evaluation are let go.
    """

    def __init__(self, network: Network, stages: Sequence[int], *, only_training: bool = False) -> None:
        self._network, self._only_training = network, only_training
        self._maps: dict[int, Tensor] = {}
        for stage in stages:
            last = list(network.stages[stage].children())[-1]
            last.register_forward_hook(self._keeper(stage))
        self._stages = tuple(stages)

    def take(self) -> list[Tensor]:
        """Returns the maps of the last run, stage by stage, and lets go of them."""
        found = [self._maps[stage] for stage in self._stages]
        self._maps.clear()
        return found

    def _keeper(self, stage: int) -> Callable[[nn.Module, Any, Tensor], None]:
        def keep(module: nn.Module, given: Any, maps: Tensor) -> None:
            if self._network.training or not self._only_training:
                self._maps[stage] = maps

        return keep


def attention(maps: Tensor, size: tuple[int, int]) -> Tensor:  # N C H W -> N S
    """Returns the attention of each image, brought to a size, as vectors of length 1."""
    energy = maps.float().pow(2).mean(1, keepdim=True)
    if tuple(energy.shape[2:]) != size:
        energy = functional.adaptive_avg_pool2d(energy, size)
    return functional.normalize(energy.flatten(1))


def difference(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Returns half the mean squared difference of attentions, summed over stages: the paper's, as its code has it.

    Args:
        student, teacher: Maps of stages that go together; of different resolutions, both are brought to the smaller.
    """
    total = torch.zeros((), device=student[0].device)
    for ours, theirs in zip(student, teacher, strict=True):
        size = (min(ours.shape[2], theirs.shape[2]), min(ours.shape[3], theirs.shape[3]))
        total = total + (attention(ours, size) - attention(theirs, size)).pow(2).mean() / 2
    return total
