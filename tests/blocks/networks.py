"""Random networks for the tests, drawn from whatever is registered."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from blocks import NetworkSpec
from blocks.block import BLOCKS
from blocks.parts.activation import ACTIVATIONS
from blocks.parts.attention import ATTENTIONS
from blocks.parts.norm import NORMS
from blocks.parts.shortcut import SHORTCUTS
from blocks.parts.stem import STEMS

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


def small(block: Any, *, strides: tuple[int, ...] = (1, 2), width: int = 8, in_channels: int = 3) -> NetworkSpec:
    """Returns a small network of two blocks a stage, for 5 classes."""
    return NetworkSpec.model_validate(
        {
            "in_channels": in_channels,
            "stem": {"kind": "conv3x3", "width": width},
            "stages": [{"block": block, "depth": 2, "width": width, "stride": stride} for stride in strides],
            "head": {"kind": "linear", "num_classes": 5},
        }
    )


def feasible_for(family: str, field: str, kind: str) -> NetworkSpec:
    """Returns a small network of a family with a part; without strides or changes of width if the part needs that."""
    block = {"kind": family, field: kind}
    if (field, kind) != ("shortcut", "identity"):
        return small(block)
    flat = small(block, strides=(1,)).plain()
    flat["stem"]["width"] = small(family).out_channels
    return NetworkSpec.model_validate(flat)


def random_spec(draw: random.Random) -> dict[str, Any]:
    """Returns a well-formed network as plain data, often infeasible."""
    block = {field: draw.choice(list(registry.kinds())) for field, registry in PARTS.items()}
    stages = []
    for _ in range(draw.randint(1, 3)):
        family = draw.choice(list(BLOCKS.kinds()))
        fields = BLOCKS.kinds()[family].model_fields
        taken = {field: part for field, part in block.items() if field in fields}
        numbers: dict[str, Any] = {
            "expansion": draw.choice([0.1, 0.5, 1, 1.5, 2, 4]),
            "groups": draw.choice([1, 1, 1, 2, 3]),
            "zero_init_residual": draw.random() < 0.3,
        }
        taken |= {name: value for name, value in numbers.items() if name in fields}
        stages.append(
            {
                "block": {"kind": family, **taken},
                "depth": draw.randint(1, 3),
                "width": draw.choice([1, 3, 4, 4, 8, 8, 12]),
                "stride": draw.choice([1, 1, 2, 2, 3]),
            }
        )
    stem = {"kind": draw.choice(list(STEMS.kinds())), "width": draw.choice([1, 4, 8]), "norm": block["norm"]}
    head = {"kind": "linear", "num_classes": draw.randint(1, 5)}
    return {"in_channels": draw.choice([1, 3]), "stem": stem, "stages": stages, "head": head}


def random_shape(draw: random.Random, in_channels: int) -> tuple[int, int, int]:
    """Returns C H W of a small image, not always square."""
    return in_channels, draw.randint(1, 12), draw.randint(1, 12)


def specs() -> st.SearchStrategy[NetworkSpec]:
    """Draws networks, feasible or not; hypothesis shrinks the seed's choices."""
    return st.randoms(use_true_random=False).map(lambda draw: NetworkSpec.model_validate(random_spec(draw)))
