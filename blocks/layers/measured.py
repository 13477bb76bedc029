"""A module of the user's own, costed by watching it work on the meta device."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from blocks.cost import Shape, Tally
from blocks.errors import InfeasibleSpec, InputTooSmall
from blocks.layers.base import FLOAT

if TYPE_CHECKING:
    from torch import nn

    from blocks.counting import Observed

AMPLE = 64
"""The side of a map on which a module that fails is tried again, to tell a map that is too small from a mistake."""


class Measured(NamedTuple):
    """What ``spec.module(site)`` makes. Its cost is measured once for each spec, site and shape."""

    spec: Any
    site: Any

    def trace(self, shape: Shape, tally: Tally) -> Shape:
        output, row, keeps_input, keeps_output = _measured(self, shape)
        kind, macs, params, activations, saved, saved_once = row
        if keeps_input:
            saved += tally.keep(FLOAT * shape[0] * shape[1] * shape[2])
        tally.rows.append((kind, macs, params, activations, saved, saved_once))
        tally.kept = [keeps_output]
        return output

    def build(self) -> nn.Module:
        module: nn.Module = self.spec.module(self.site)
        return module

    def __repr__(self) -> str:
        """Says what the module does, so that fields that change nothing make no difference."""
        return f"Measured({_fingerprint(self)})"


@lru_cache(maxsize=4096)
def _fingerprint(layer: Measured) -> str:
    from blocks.counting import fingerprint

    return fingerprint(layer.build, layer.site.in_channels) or f"{layer.spec!r} {layer.site!r}"


@lru_cache(maxsize=4096)
def _measured(layer: Measured, shape: Shape) -> Observed:
    from blocks.counting import observe

    try:
        return observe(layer.build, shape)
    except InfeasibleSpec as error:
        if shape[1] >= AMPLE and shape[2] >= AMPLE:
            raise
        try:
            observe(layer.build, (shape[0], AMPLE, AMPLE))
        except InfeasibleSpec:  # then it isn't the size
            raise error from None
        raise InputTooSmall(error.reason) from error
