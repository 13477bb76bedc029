"""Layers made of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from blocks.cost import Images, Shape, Tally
from blocks.errors import InfeasibleSpec
from blocks.layers.base import FLOAT, IDENTITY, Identity, Layer, show_shape

if TYPE_CHECKING:
    from torch import nn


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

    def __repr__(self) -> str:
        """Says what is built, so that chains that differ in identities alone read alike."""
        built = [f"{name}={layer!r}" for name, layer in self.layers.items() if not isinstance(layer, Identity)]
        return f"Chain({', '.join(built)})" if built else repr(IDENTITY)


class Residual(NamedTuple):
    """y = activation(branch(b) + shortcut(s)) with b = before(x), or activation(branch(b)) without a shortcut.

    s is x, or b if ``shared``. The summands must have equal shapes: nothing is broadcast, neither here nor in the
    module. With ``precise``, they are summed in float32, whatever the precision they come in.
    """

    branch: Layer
    shortcut: Layer | None
    activation: Layer = IDENTITY
    before: Layer = IDENTITY
    shared: bool = False
    precise: bool = False

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        branch, shortcut, activation, before, shared, _ = self
        given = tally.kept
        ready = shape if before is IDENTITY else before.trace(shape, tally)
        if shared:
            shape, given = ready, tally.kept
        out = branch.trace(ready, tally)
        if shortcut is not None:
            tally.kept = given
            beside = shape if shortcut is IDENTITY else shortcut.trace(shape, tally)
            if out != beside:
                raise InfeasibleSpec(
                    f"a residual sum needs equal shapes, but the branch gives {show_shape(out)} "
                    f"and the shortcut {show_shape(beside)}"
                )
            tally.kept = [False]
            tally.sums += 1
        return activation.trace(out, tally)

    def build(self) -> nn.Module:
        from blocks.modules import ResidualSum

        return ResidualSum(
            self.branch.build(),
            None if self.shortcut is None else self.shortcut.build(),
            self.activation.build(),
            before=None if self.before is IDENTITY else self.before.build(),
            shared=self.shared,
            precise=self.precise,
        )


class Sum(NamedTuple):
    """y = the sum of several layers of x, of equal shapes."""

    layers: Mapping[str, Layer]

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        given, outs = tally.kept, set()
        for layer in self.layers.values():
            tally.kept = given
            outs.add(layer.trace(shape, tally))
        if len(outs) > 1:
            raise InfeasibleSpec(f"a sum needs equal shapes, not {', '.join(map(show_shape, sorted(outs)))}")
        if len(self.layers) > 1:
            tally.kept = [False]
        return outs.pop()

    def build(self) -> nn.Module:
        from blocks.modules import SumOf

        return SumOf({name: layer.build() for name, layer in self.layers.items()})


class Concat(NamedTuple):
    """y = x with the channels of branch(x) behind its own."""

    branch: Layer

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        out = self.branch.trace(shape, tally)
        if out[1:] != shape[1:]:
            raise InfeasibleSpec(f"a map of {show_shape(out)} can't be joined to one of {show_shape(shape)}")
        tally.kept = [False]
        return shape[0] + out[0], *out[1:]

    def build(self) -> nn.Module:
        from blocks.modules import Concatenated

        return Concatenated(self.branch.build())


class Scale(NamedTuple):
    """y = x * gate(x), where the gate gives one number a channel, or one a position (and only that is broadcast)."""

    gate: Layer

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        given = tally.kept
        gate = self.gate.trace(shape, tally)
        if gate not in ((shape[0], 1, 1), (1, *shape[1:])):
            raise InfeasibleSpec(f"a gate of {show_shape(gate)} can't scale a map of {show_shape(shape)}")
        learned, images = not isinstance(tally.kept, Images), isinstance(given, Images)
        saved = 0 if images else tally.keep(FLOAT * gate[0] * gate[1] * gate[2])
        tally.kept = given
        saved += tally.keep(FLOAT * shape[0] * shape[1] * shape[2]) if learned else 0
        tally.rows.append(("scale", 0, 0, 0, saved, 0))
        tally.kept = [False]
        return shape

    def build(self) -> nn.Module:
        from blocks.modules import Scaled

        return Scaled(self.gate.build())
