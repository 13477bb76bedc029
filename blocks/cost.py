"""What a network costs, and how that is counted. The conventions, here and nowhere else:

- A multiply-add is 1 MAC; papers say "FLOPs" for the same number, profilers count 2.
- Convolutions and linear layers count, and the two matrix products of attention. Biases, norm layers, activation
  functions, pooling, and sums do not. The fixed filters of anti-aliasing run as convolutions and count as such.
- Parameters are all that is learned: weights, biases, the scale and shift of norms. Running statistics are not.
- Activations are the elements that convolutions, linear layers and windowed pooling put out; those of global
  or adaptive pooling, of attention's products, norms and activation functions are not counted (Radosavovic et al. 2020,
  https://arxiv.org/abs/2003.13678).
- All of it is for one image. torchvision's ``_ops`` agree; tables that count biases differ by exactly those.
- Training memory is counted in bytes, for a batch: see `Memory`.

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


Row = tuple[str, int, int, int, int, int]
"""What one layer costs: its kind; MACs, parameters, activations; bytes that the backward pass needs kept, for each
image and for a batch as a whole."""


class Images(list[bool]):
    """The cell of the images themselves, and of what is made of them without learning: no gradient of them is asked."""


class Tally:
    """A running list of what layers cost, while a map passes through them.

    Attributes:
        rows: One a layer.
        sums: How many residual sums there were.
        kept: A cell that says whether the backward pass keeps the tensor that is at hand; all who are given the same
            tensor share the cell, so that it is counted once.
        normed: The pixels of the smallest map that a batch norm is given; None if there is no batch norm.

    Args:
        kept: Whether the tensor that is given is kept already; None for the images.
    """

    __slots__ = ("kept", "normed", "rows", "sums")

    def __init__(self, kept: bool | None = False) -> None:
        self.rows: list[Row] = []
        self.kept = Images([False]) if kept is None else [kept]
        self.sums = 0
        self.normed: int | None = None

    def keep(self, size: int) -> int:
        """Keeps the tensor at hand, of so many bytes; returns what that adds: 0 if it is kept already."""
        if self.kept[0]:
            return 0
        self.kept[0] = True
        return size

    def transform(self, given: int = 0, more: int = 0, *, result: bool = False) -> int:
        """Passes the tensor at hand through a function that learns nothing; returns the bytes that are kept for it.

        Args:
            given: The size of what goes in, if the function's gradient needs it.
            more: What it needs beside that.
            result: Whether what comes out is part of that.
        """
        if isinstance(self.kept, Images):
            self.kept = Images([False])
            return 0
        saved = self.keep(given) + more if given else more
        self.kept = [result]
        return saved

    def cost(self) -> Cost:
        """Returns what has been added so far."""
        macs = params = activations = 0
        for row in self.rows:
            macs += row[1]
            params += row[2]
            activations += row[3]
        return Cost(macs, params, activations)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a training step needs, in float32 without autocast; the loss and the kernels' workspaces left aside.

    Attributes:
        parameters: What is learned.
        gradients: As much again.
        optimizer: What the optimizer remembers of each parameter.
        activations: The tensors that the backward pass needs of the forward pass, the images among them.
    """

    parameters: int = 0
    gradients: int = 0
    optimizer: int = 0
    activations: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.gradients + self.optimizer + self.activations

    def __str__(self) -> str:
        return f"{self.total / 1e6:,.1f} MB"


def demand_shape(shape: Shape) -> None:
    """Raises ``TypeError`` unless the shape is three whole numbers, ``ValueError`` unless they are above 0."""
    if not (isinstance(shape, (tuple, list)) and len(shape) == 3 and all(type(size) is int for size in shape)):
        raise TypeError(f"an image's shape is (channels, height, width), three whole numbers, not {shape!r}")
    if min(shape) < 1:
        raise ValueError(f"an image has at least 1 channel, row and column, not {shape!r}")


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
