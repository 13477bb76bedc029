"""Attention over a block's output channels: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import Layer
from blocks.registry import Registry


class AttentionSpec(Spec):
    """How a block's branch is weighed before the residual sum; it leaves the shape as it is."""

    kind: str

    @abstractmethod
    def layer(self, channels: int) -> Layer:
        """Returns the layer for a map of so many channels."""


ATTENTIONS: Registry[AttentionSpec] = Registry("attention", __name__)
