"""Shortcuts around a block's branch: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import Layer
from blocks.parts.norm import NormSpec
from blocks.registry import Registry


class ShortcutSpec(Spec):
    """What a block's input becomes on its way to the residual sum."""

    kind: str

    @abstractmethod
    def layer(self, in_channels: int, out_channels: int, stride: int, norm: NormSpec) -> Layer | None:
        """Returns the layer that makes the input fit the branch's output, or None for no shortcut at all.

        Raises:
            InfeasibleSpec: If this kind can't make it fit.
        """


SHORTCUTS: Registry[ShortcutSpec] = Registry("shortcut", __name__)
