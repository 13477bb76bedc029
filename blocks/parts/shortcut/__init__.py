"""Shortcuts around a block's branch: one file a kind."""

from __future__ import annotations

from abc import abstractmethod

from blocks.base import Spec
from blocks.layers import IDENTITY, Conv, Layer
from blocks.parts.norm import NormSpec
from blocks.registry import Registry


class ShortcutSpec(Spec):
    """What a block's input becomes on its way to the residual sum."""

    kind: str

    @abstractmethod
    def layer(
        self, in_channels: int, out_channels: int, stride: int, norm: NormSpec | None, *, anti_alias: bool = False
    ) -> Layer | None:
        """Returns the layer that makes the input fit the branch's output, or None for no shortcut at all.

        With ``anti_alias``, what subsamples blurs first. A norm of None says that a pre-activation stands in front:
        then there is no norm behind a convolution, and no bias either.

        Raises:
            InfeasibleSpec: If this kind can't make it fit.
        """

    def joins(self, in_channels: int, out_channels: int, stride: int) -> bool:
        """Whether there is a shortcut, and so a sum; without one, the block is its branch."""
        return True


def projected(in_channels: int, out_channels: int, stride: int, norm: NormSpec | None) -> dict[str, Layer]:
    """Returns a 1x1 convolution and the norm behind it; for what a norm of None says, see `ShortcutSpec.layer`."""
    normed = IDENTITY if norm is None else norm.layer(out_channels)
    bias = norm is not None and normed is IDENTITY
    return {"conv": Conv(in_channels, out_channels, stride=stride, bias=bias), "norm": normed}


SHORTCUTS: Registry[ShortcutSpec] = Registry("shortcut", __name__, shared=True)
