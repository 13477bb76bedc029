"""Activation functions: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import Layer
from blocks.registry import Registry


class ActivationSpec(Spec):
    """A function of each element."""

    kind: str

    @abstractmethod
    def layer(self) -> Layer:
        """Returns the layer."""


ACTIVATIONS: Registry[ActivationSpec] = Registry("activation", __name__, shared=True)
