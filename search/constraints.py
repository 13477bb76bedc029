"""Limits on what networks cost: those that arms must meet to be trained, and caps on what is ever built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from blocks import Limits
from blocks.base import Number, Spec

if TYPE_CHECKING:
    from search.stopwatch import Timing


class Band(Spec):
    """A cost's allowed band, both ends included."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:,.12g}) is above max ({self.max:,.12g})")
        return self


class Constraints(Spec):
    """Cost limits that every arm but the baseline must meet; applied before anything is trained.

    Attributes:
        macs: Multiply-adds for one image; likewise the elements of all maps in ``activations``.
        memory: Bytes of a training step at the recipe's batch size, in float32 and without checkpointing.
        latency_1: Milliseconds of an answer for one image, measured on this machine (see ``latency``); likewise for a
            batch of 64.
    """

    macs: Band | None = None
    params: Band | None = None
    activations: Band | None = None
    memory: Band | None = None
    latency_1: Band | None = None
    latency_64: Band | None = None

    def broken(self, values: Mapping[str, int]) -> str | None:
        """Returns the first limit that is broken, in words, or None if all are met.

        Args:
            values: What there is of each thing that is limited by arithmetic.
        """
        for name, value in values.items():
            if (side := self._side(name, value)) is not None:
                return f"{name} {value:,} {side[0]} the limit of {side[1]:,.0f}"
        return None

    def slow(self, times: Mapping[str, Timing]) -> str | None:
        """Returns the first limit of time that a network's median breaks, in words, or None if all are met."""
        for name, time in times.items():
            if (side := self._side(name, time.median)) is not None:
                known = f"{time.median:.3g} ms [{time.low:.3g}, {time.high:.3g}]"
                return f"{name} {known} {side[0]} the limit of {side[1]:g} ms"
        return None

    def _side(self, name: str, value: float) -> tuple[str, float] | None:
        """Returns on which side of a band a value lies, and the limit that it breaks; None if it is within."""
        band: Band | None = getattr(self, name)
        if band is not None and band.max is not None and value > band.max:
            return "above", band.max
        if band is not None and band.min is not None and value < band.min:
            return "below", band.min
        return None

    def has_least(self, name: str) -> bool:
        """Whether a cost has a lower limit."""
        band: Band | None = getattr(self, name)
        return band is not None and band.min is not None

    def limits_of(self, name: str) -> tuple[float, ...]:
        """Returns the ends of a cost's band."""
        band: Band | None = getattr(self, name)
        return () if band is None else tuple(end for end in (band.min, band.max) if end is not None)

    @property
    def named(self) -> tuple[str, ...]:
        """What is limited."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


Cap = Annotated[Number, Field(ge=1)]


class LimitsSpec(Spec):
    """What is never built, whatever a level or a search asks for.

    Attributes:
        params: Parameters; likewise blocks and layers.
        macs: Multiply-adds for one image; likewise activations. No cap unless given.
        memory: Bytes of a training step at the recipe's batch size. No cap unless given.
    """

    params: Cap = Limits().params
    blocks: Cap = Limits().blocks
    layers: Cap = Limits().layers
    macs: Cap | None = None
    activations: Cap | None = None
    memory: Cap | None = None

    def whole(self) -> Limits:
        """Returns the caps as whole numbers."""
        return Limits(
            int(self.params),
            int(self.blocks),
            int(self.layers),
            *(None if cap is None else int(cap) for cap in (self.macs, self.activations, self.memory)),
        )
