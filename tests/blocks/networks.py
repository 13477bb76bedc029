"""Random networks for the tests, drawn from whatever is registered."""

from __future__ import annotations

import random
from typing import Any

from blocks import NetworkSpec
from blocks.block import BLOCKS
from blocks.parts.activation import ACTIVATIONS
from blocks.parts.attention import ATTENTIONS
from blocks.parts.norm import NORMS
from blocks.parts.shortcut import SHORTCUTS

LARGER = {"se": {"ratio": 1}, "cbam": {"ratio": 1}}
"""Fields of parts in small networks: of 8 channels a sixteenth is one unit, and if it is dead it has no gradient."""

PARTS = {"norm": NORMS, "activation": ACTIVATIONS, "attention": ATTENTIONS, "shortcut": SHORTCUTS}
"""The registries of the parts that a block may take, by the name of its field."""

FAMILIES_AND_PARTS = [
    (family, field, kind)
    for family, spec in BLOCKS.kinds().items()
    for field, registry in PARTS.items()
    if field in spec.model_fields
    for kind in registry.kinds()
    if field == "norm" or kind != spec.model_fields[field].default.kind  # the family with all defaults comes once
]
"""Every registered family with every registered part that it takes."""


def small(
    block: Any, *, strides: tuple[int, ...] = (1, 2), width: int = 8, in_channels: int = 3, depth: int = 2
) -> NetworkSpec:
    """Returns a small network of two blocks a stage, for 5 classes."""
    return NetworkSpec.model_validate(
        {
            "in_channels": in_channels,
            "stem": {"kind": "conv3x3", "width": width},
            "stages": [{"block": block, "depth": depth, "width": width, "stride": stride} for stride in strides],
            "head": {"kind": "linear", "num_classes": 5},
        }
    )


def feasible_for(family: str, field: str, kind: str) -> NetworkSpec:
    """Returns a small network of a family with a part; without strides or changes of width if the part needs that."""
    attention = BLOCKS.kinds()[family].model_fields.get("attention")
    usual = {} if attention is None else {"attention": attention.default.plain()}
    block = {"kind": family, **usual, field: {"kind": kind}}
    if "attention" in block:
        block["attention"] |= LARGER.get(block["attention"]["kind"], {})
    if (field, kind) != ("shortcut", "identity"):
        return small(block)
    flat = small(block, strides=(1,)).plain()
    flat["stem"]["width"] = small(family).out_channels
    return NetworkSpec.model_validate(flat)


def random_shape(draw: random.Random, in_channels: int) -> tuple[int, int, int]:
    """Returns C H W of a small image, not always square."""
    return in_channels, draw.randint(1, 12), draw.randint(1, 12)
