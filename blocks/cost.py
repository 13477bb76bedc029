"""What a network costs, and how that is counted. The conventions, here and nowhere else:

- A multiply-add is 1 MAC; papers say "FLOPs" for the same number, profilers count 2.
- Convolutions and linear layers count, and the two matrix products of attention. Biases, norm layers, activation
  functions, pooling, and sums do not.
- Parameters are all that is learned: weights, biases, the scale and shift of norms. Running statistics are not.
- Activations are the elements that convolutions, linear layers and windowed pooling put out; those of global
  pooling, norms and activation functions are not counted (Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678).
- All of it is for one image. torchvision's ``_ops`` agree; tables that count biases differ by exactly those.

`Cost` comes about twice, independently: by arithmetic on a network's layers (``NetworkSpec.cost``, nothing allocated,
whole numbers of any size), and by `measure`, which watches a built module work. Tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, int, int]
"""Channels, height, width of one image's map. A vector of features is a map of 1x1."""


@dataclass(frozen=True, slots=True)
class Cost:
    """MACs, parameters and activations of a network, or of a part of it, for one image."""

    macs: int = 0
    params: int = 0
    activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.macs + other.macs, self.params + other.params, self.activations + other.activations)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.macs - other.macs, self.params - other.params, self.activations - other.activations)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.macs * times, self.params * times, self.activations * times)

    def __str__(self) -> str:
        return f"{self.macs:,} MACs, {self.params:,} parameters, {self.activations:,} activations"


class Tally:
    """A running total that layers add themselves to."""

    __slots__ = ("activations", "macs", "params")

    def __init__(self) -> None:
        self.macs = self.params = self.activations = 0

    def cost(self) -> Cost:
        """Returns what has been added so far."""
        return Cost(self.macs, self.params, self.activations)


def demand_shape(shape: Shape) -> None:
    """Raises ``TypeError`` unless the shape is three whole numbers; what they must be, each network says itself."""
    if not (isinstance(shape, (tuple, list)) and len(shape) == 3 and all(isinstance(size, int) for size in shape)):
        raise TypeError(f"an image's shape is (channels, height, width), three whole numbers, not {shape!r}")


def measure(module: nn.Module, shape: Shape) -> Cost:
    """Counts what a module really does to an image, whoever wrote it, without computing anything.

    The module runs once on the meta device, where tensors have shapes and no values; each convolution, matrix product
    and windowed pooling that reaches the dispatcher is counted. The module itself stays as it is, where it is.

    Args:
        module: Takes N C H W.
        shape: C H W of the image.

    Raises:
        TypeError: If the shape isn't three whole numbers.
    """
    from blocks.counting import count

    demand_shape(shape)
    return count(module, shape)
