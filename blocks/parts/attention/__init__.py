"""Attention over a block's channels and positions: one file a kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from blocks.base import Spec
from blocks.errors import InfeasibleSpec
from blocks.layers import IDENTITY, Layer
from blocks.registry import Registry

Place = Literal["usual", "output", "inner", "pre", "post", "identity"]
"""Where in a block: ``output``, on what the branch puts out; ``inner``, behind the spatial convolution; ``pre``, before
the branch; ``post``, behind the sum; ``identity``, on the shortcut; ``usual``, where the family's paper has it."""


class AttentionSpec(Spec):
    """How a block's maps are weighed; it leaves their shape as it is."""

    kind: str

    @abstractmethod
    def layer(self, channels: int, in_channels: int) -> Layer:
        """Returns the layer for a map of so many channels, in a block that is given so many."""

    def where(self, usual: str) -> str:
        """Returns the place in a block of a family that has its attention at ``usual``; ``"nowhere"`` for none."""
        return "nowhere"

    def at(self, place: str, usual: str, channels: int, in_channels: int) -> Layer:
        """Returns the layer if this is its place in such a family's block, and the identity elsewhere."""
        return self.layer(channels, in_channels) if self.where(usual) == place else IDENTITY

    def demand_place(self, family: str, usual: str, *places: str) -> None:
        """Raises ``InfeasibleSpec`` if it is at none of these places, the ones that the family has."""
        place = self.where(usual)
        if place not in (*places, "nowhere"):
            there = ", ".join(places)
            raise InfeasibleSpec(f"a {family} block has no place '{place}' for attention: it has {there}")


class PlacedAttentionSpec(AttentionSpec):
    """An attention that weighs something, and says where in the block."""

    place: Place = "usual"

    def where(self, usual: str) -> str:
        return usual if self.place == "usual" else self.place


ATTENTIONS: Registry[AttentionSpec] = Registry("attention", __name__, shared=True)
