"""Limits on what networks cost: those that arms must meet to be trained, and caps on what is ever built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from blocks import Limits
from blocks.base import Number, Spec


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
    """

    macs: Band | None = None
    params: Band | None = None
    activations: Band | None = None
    memory: Band | None = None

    def broken(self, values: Mapping[str, int]) -> str | None:
        """Returns the first limit that is broken, in words, or None if all are met.

        Args:
            values: What there is of each thing that is limited.
        """
        for name in self.named:
            band, value = getattr(self, name), values[name]
            if band.max is not None and value > band.max:
                return f"{name} {value:,} above the limit of {band.max:,.0f}"
            if band.min is not None and value < band.min:
                return f"{name} {value:,} below the limit of {band.min:,.0f}"
        return None

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
