"""NASWOT: how differently an untrained network's units answer to different images."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Count
from search.data.prepare import prepare
from search.data.spec import DataSpec
from search.proxies import PROXIES, ProxySpec

if TYPE_CHECKING:
    import torch
    from torch import nn

    from search.arms import Arm


EXACT = 2**24
"""Up to here float32 counts without rounding."""


@PROXIES.register
class Naswot(ProxySpec):
    """The log-determinant of the kernel of the units' codes on some training images, at the initial values of seed 0
    (Mellor et al. 2021, arXiv:2006.04647)."""

    kind: Literal["naswot"] = "naswot"
    images: Annotated[Count, Field(ge=2)] = 64
    """How many training images, the first of the split."""

    def score(self, arm: Arm) -> float:
        from search.train.settings import cpu_threads

        own = arm.configuration
        with cpu_threads(1):  # trials have the others, and more would wait for them
            return naswot(own.network.build(seed=0), _batch(own.data, self.images))


def naswot(network: nn.Module, images: torch.Tensor) -> float:
    """Returns log det K, where K counts, for two images, the units that are on for both or off for both; minus infinity
    where two images have one code, or no unit has an activation function.

    A unit is on where an activation function is given something above 0, which for a ReLU is where it lets it through.
    Batch norms take the statistics of these images, as in training.

    Args:
        images: N C H W.
    """
    import torch

    found = [module for module in network.modules() if isinstance(module, _activations())]
    if not found:
        return float("-inf")
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)

    def count(_: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        on = given[0].reshape(len(images), -1) > 0
        units = on.shape[1]
        codes = on.to(torch.float32 if units < EXACT else torch.float64)
        own, both = codes.sum(1, keepdim=True), codes @ codes.T
        kernel.add_(units - own - own.T + 2 * both)  # on for both, or off for both

    handles = [module.register_forward_pre_hook(count) for module in found]
    with torch.no_grad():
        network.train()(images)
    for handle in handles:
        handle.remove()
    sign, value = torch.linalg.slogdet(kernel)
    return float(value) if sign > 0 else float("-inf")  # two images with the same code


def _activations() -> tuple[type[nn.Module], ...]:
    from torch import nn

    from search.train.diagnosis.probe import RELU_LIKE

    return *RELU_LIKE, nn.LeakyReLU, nn.ELU


@lru_cache(maxsize=8)
def _batch(data: DataSpec, count: int) -> torch.Tensor:
    """Returns the first training images, normalised as trials see them."""
    import torch

    from search.train.feed import Feed

    splits = prepare(data)
    feed = Feed.of(splits.train, splits, torch.device("cpu"))
    return feed.normalised(feed.pixels[torch.arange(min(count, len(splits.train)))])
