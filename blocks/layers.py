"""The vocabulary in which networks are described: one description, two readings.

A layer is a small record. It can be *traced* (what shape comes out, at what cost: arithmetic on whole numbers, nothing
allocated, torch not even imported) and it can be *built* (the torch module that does it). Both readings stand side by
side below, so that what is counted can't drift from what runs.

    trace(shape, tally) -> shape    adds its cost to the tally; raises InfeasibleSpec where no such layer can be
    build() -> nn.Module            takes N C H W

To describe a layer that isn't here, write another such record, anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall

if TYPE_CHECKING:
    from torch import nn


ZERO_INIT = "zero_init"
"""The attribute of a norm module that tells `blocks.initialisation` to start its scale at 0."""


class Layer(Protocol):
    """What every record can do."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        """Returns the shape that comes out, and adds the cost to the tally. Raises ``InfeasibleSpec``."""

    def build(self) -> nn.Module:
        """Returns the torch module, its parameters not yet at their initial values."""


class Identity(NamedTuple):
    """y = x"""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Identity()


IDENTITY = Identity()


class Conv(NamedTuple):
    """A square convolution of odd kernel, padded so that stride 1 keeps the map's size. No bias unless asked for."""

    in_channels: int
    out_channels: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    bias: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        in_channels, out_channels, kernel, stride, groups, bias = self
        channels, height, width = shape
        if channels != in_channels:
            raise _misfit(in_channels, shape)
        if groups != 1 and (in_channels % groups or out_channels % groups):
            raise InfeasibleSpec(
                f"{groups} groups don't divide a convolution of {in_channels} to {out_channels} channels"
            )
        if stride != 1:
            height, width = _slide(shape, kernel, stride)
        weights = out_channels * (in_channels // groups) * kernel * kernel
        tally.macs += weights * height * width
        tally.params += weights + out_channels if bias else weights
        tally.activations += out_channels * height * width
        return out_channels, height, width

    def build(self) -> nn.Module:
        from torch import nn

        in_channels, out_channels, kernel, stride, groups, bias = self
        padding = kernel // 2
        return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)


class Linear(NamedTuple):
    """y = W x + b, on vectors."""

    in_features: int
    out_features: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape != (self.in_features, 1, 1):
            raise _misfit(self.in_features, shape)
        weights = self.in_features * self.out_features
        tally.macs += weights
        tally.params += weights + self.out_features
        tally.activations += self.out_features
        return self.out_features, 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Linear(self.in_features, self.out_features)


class Norm(NamedTuple):
    """Normalisation with a scale and a shift a channel; ``make`` builds the module, given the channels.

    With ``zero``, the scale starts at 0 instead of 1.
    """

    channels: int
    make: Callable[[int], nn.Module]
    zero: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        if shape[0] != self.channels:
            raise _misfit(self.channels, shape)
        tally.params += 2 * self.channels
        return shape

    def build(self) -> nn.Module:
        module = self.make(self.channels)
        setattr(module, ZERO_INIT, self.zero)
        return module


class Elementwise(NamedTuple):
    """A function of each element; ``function`` is torch's name of it, ``"ReLU"``."""

    function: str

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        module: nn.Module = getattr(nn, self.function)()
        return module


class MaxPool(NamedTuple):
    """The largest of each window, padded as `Conv` is."""

    kernel: int
    stride: int

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        height, width = _slide(shape, self.kernel, self.stride)
        tally.activations += shape[0] * height * width
        return shape[0], height, width

    def build(self) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(self.kernel, self.stride, self.kernel // 2)


class GlobalPool(NamedTuple):
    """The mean of each channel."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape[0], 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.AdaptiveAvgPool2d(1)


class Flatten(NamedTuple):
    """A map as a vector."""

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        return shape[0] * shape[1] * shape[2], 1, 1

    def build(self) -> nn.Module:
        from torch import nn

        return nn.Flatten()


class Chain(NamedTuple):
    """One layer after another, each under its name in the module's ``state_dict``. Identities aren't built."""

    layers: Mapping[str, Layer]

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        for layer in self.layers.values():
            shape = layer.trace(shape, tally)
        return shape

    def build(self) -> nn.Module:
        from torch import nn

        chain = nn.Sequential()
        for name, layer in self.layers.items():
            if not isinstance(layer, Identity):
                chain.add_module(name, layer.build())
        return chain


class Residual(NamedTuple):
    """y = activation(branch(x) + shortcut(x)), or activation(branch(x)) without a shortcut.

    The two summands must have equal shapes: nothing is broadcast, neither here nor in the module.
    """

    branch: Layer
    shortcut: Layer | None
    activation: Layer

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        out = self.branch.trace(shape, tally)
        if self.shortcut is not None:
            beside = self.shortcut.trace(shape, tally)
            if out != beside:
                raise InfeasibleSpec(
                    f"a residual sum needs equal shapes, but the branch gives {show_shape(out)} "
                    f"and the shortcut {show_shape(beside)}"
                )
        return self.activation.trace(out, tally)

    def build(self) -> nn.Module:
        from blocks.modules import ResidualSum

        shortcut = None if self.shortcut is None else self.shortcut.build()
        return ResidualSum(self.branch.build(), shortcut, self.activation.build())


class Scale(NamedTuple):
    """y = x * gate(x), where the gate gives one number a channel (and only that is broadcast)."""

    gate: Layer

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        gate = self.gate.trace(shape, tally)
        if gate != (shape[0], 1, 1):
            raise InfeasibleSpec(f"a gate of {show_shape(gate)} can't scale a map of {show_shape(shape)}")
        return shape

    def build(self) -> nn.Module:
        from blocks.modules import Scaled

        return Scaled(self.gate.build())


def show_shape(shape: Shape) -> str:
    """Writes C H W as ``64x56x56``."""
    return "x".join(map(str, shape))


def _misfit(channels: int, shape: Shape) -> InfeasibleSpec:
    return InfeasibleSpec(f"a layer of {channels} channels meets a map of {show_shape(shape)}")


def _slide(shape: Shape, kernel: int, stride: int) -> tuple[int, int]:
    """Returns the height and width that a window leaves.

    Padding would let a stride of 2 "shrink" a map of 1x1 to 1x1, a stride that silently does nothing. Here nothing is
    left of such a map.
    """
    _, height, width = shape
    if stride > height and stride > width:
        raise InputTooSmall(f"a stride of {stride} leaves nothing of a map of {height}x{width}")
    slack = 2 * (kernel // 2) - kernel
    return (height + slack) // stride + 1, (width + slack) // stride + 1
