"""Heads, from the last stage to the classes: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Count, Spec
from blocks.layers import Layer
from blocks.registry import Registry


class HeadSpec(Spec):
    """What stands after the stages: a map becomes one logit a class."""

    kind: str
    num_classes: Count = 1000

    @abstractmethod
    def layers(self, in_channels: int) -> Layer:
        """Returns the head for a map of so many channels."""


HEADS: Registry[HeadSpec] = Registry("head", __name__, shared=True)
