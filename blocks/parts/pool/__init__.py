"""Global pooling, from a map to a vector: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import Layer
from blocks.registry import Registry


class PoolSpec(Spec):
    """How the positions of a map, whatever its size, become one."""

    kind: str

    @abstractmethod
    def layer(self, channels: int) -> Layer:
        """Returns the layer from C H W to C 1 1."""


POOLS: Registry[PoolSpec] = Registry("pool", __name__, shared=True)
