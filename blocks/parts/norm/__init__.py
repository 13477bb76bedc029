"""Normalisation: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import Layer
from blocks.registry import Registry


class NormSpec(Spec):
    """How a map is normalised. Every kind but ``none`` has a scale and a shift: convolutions before it need no bias."""

    kind: str

    @abstractmethod
    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        """Returns the layer for a map of so many channels, its scale starting at 0 if ``zero``, else at 1.

        No norm is `blocks.layers.IDENTITY` itself; convolutions then have a bias.
        """


NORMS: Registry[NormSpec] = Registry("norm", __name__, shared=True)
