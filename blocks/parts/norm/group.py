"""Group normalisation. Wu and He 2018, https://arxiv.org/abs/1803.08494"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, model_validator

from blocks.base import Count, Positive
from blocks.documentation import not_together
from blocks.errors import InfeasibleSpec
from blocks.layers import GroupNorm, Layer
from blocks.parts.norm import NORMS, NormSpec

USUAL_CHANNELS_PER_GROUP = 4


@NORMS.register
class GroupNormSpec(NormSpec):
    """(x - mean) / sqrt(variance + epsilon) of each group of channels, over the group and all positions of an image.

    Give ``groups`` or ``channels_per_group``; the channels must divide into them. Given neither, a group has 4
    channels: the paper's usual 32 groups don't exist in a net of width 8.
    """

    model_config = ConfigDict(json_schema_extra=not_together("groups", "channels_per_group"))

    kind: Literal["group"] = "group"
    groups: Count | None = None
    channels_per_group: Count | None = None
    epsilon: Positive = 1e-5

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.groups is not None and self.channels_per_group is not None:
            raise ValueError("give groups or channels_per_group, not both")
        return self

    def layer(self, channels: int, *, zero: bool = False) -> Layer:
        return GroupNorm(self.groups or self._groups(channels), channels, self.epsilon, zero)

    def _groups(self, channels: int) -> int:
        size = self.channels_per_group or USUAL_CHANNELS_PER_GROUP
        if channels % size:
            raise InfeasibleSpec(f"groups of {size} channels don't divide the {channels} channels of a group norm")
        return channels // size
