"""RepVGGs for images of 224x224 in 1000 classes. Ding et al. 2021, tables 2 and 3, https://arxiv.org/abs/2101.03697

The names are timm's. The first block, which stands for a stem, is a stage of its own. Those of ``g4`` have 4 groups in
every second block behind it.
"""

from __future__ import annotations

from typing import Any

from blocks.renaming import by_patterns

A_DEPTHS, B_DEPTHS = (2, 4, 14, 1), (4, 6, 16, 1)
WIDTHS = (64, 128, 256, 512)

SIZES = {
    "a0": (A_DEPTHS, 0.75, 2.5, 1),
    "a1": (A_DEPTHS, 1, 2.5, 1),
    "a2": (A_DEPTHS, 1.5, 2.75, 1),
    "b0": (B_DEPTHS, 1, 2.5, 1),
    "b1": (B_DEPTHS, 2, 4, 1),
    "b1g4": (B_DEPTHS, 2, 4, 4),
    "b2": (B_DEPTHS, 2.5, 5, 1),
    "b2g4": (B_DEPTHS, 2.5, 5, 4),
    "b3": (B_DEPTHS, 3, 5, 1),
    "b3g4": (B_DEPTHS, 3, 5, 4),
}
"""The depths of all stages but the first; what multiplies the widths (the last stage's its own); groups."""


def _repvgg(depths: tuple[int, ...], factor: float, last_factor: float, groups: int) -> dict[str, Any]:
    stages: list[dict[str, Any]] = [_stage(min(64, int(64 * factor)), 1)]
    before = 1
    for index, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True)):
        stage = _stage(int(width * (last_factor if index == 3 else factor)), depth)
        grouped = [block for block in range(depth) if (before + block) % 2 == 0]
        if groups > 1 and grouped:
            stage["overrides"] = [{"at": grouped, "set": {"groups": groups}}]
        stages.append(stage)
        before += depth
    return {"stem": "none", "stages": stages, "head": {"kind": "linear", "num_classes": 1000}}


def _stage(width: int, depth: int) -> dict[str, Any]:
    return {"block": "repvgg", "width": width, "depth": depth, "stride": 2}


NETWORKS = {f"repvgg_{size}": _repvgg(*numbers) for size, numbers in SIZES.items()}
INPUTS = dict.fromkeys(NETWORKS, 224)

BRANCHES = (
    (r"conv_kxk\.conv\.", "sum.spatial.conv."),
    (r"conv_kxk\.bn\.", "sum.spatial.norm."),
    (r"conv_1x1\.conv\.", "sum.pointwise.conv."),
    (r"conv_1x1\.bn\.", "sum.pointwise.norm."),
    (r"identity\.", "sum.identity."),
)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's RepVGG, whose stem is our first stage."""
    places = ((r"stem\.", "stages.0.0."), *((rf"stages\.{at}\.(\d+)\.", rf"stages.{at + 1}.\1.") for at in range(4)))
    patterns = [(f"{their}{theirs}", f"{our}{ours}") for their, our in places for theirs, ours in BRANCHES]
    return by_patterns((*patterns, (r"head\.fc\.", "head.linear.")), tensor)
