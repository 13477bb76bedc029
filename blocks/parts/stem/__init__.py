"""Stems, from the image to the first stage: one file a kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from blocks.base import Spec
from blocks.layers import Layer
from blocks.registry import Registry


class StemSpec(Spec):
    """What stands before the stages."""

    kind: str
    usual_size: ClassVar[int]
    """The pixels of an image's side for which such a stem is made; what ``blocks.show`` assumes."""

    @abstractmethod
    def layers(self, in_channels: int) -> Layer:
        """Returns the stem for images of so many channels."""


STEMS: Registry[StemSpec] = Registry("stem", __name__)
