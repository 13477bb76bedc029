"""ResNets with squeeze and excitation. Hu et al. 2017, https://arxiv.org/abs/1709.01507

The names are timm's, and so are the squeezed channels: a sixteenth, in multiples of 8.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling
from blocks.presets.imagenet_resnet import TORCHVISION
from blocks.renaming import by_patterns


def _resnet(block: str, depths: tuple[int, ...]) -> dict[str, Any]:
    attention = {"kind": "se", "ratio": 1 / 16, "multiple_of": 8}
    stages = doubling({"kind": block, "attention": attention}, depths, 64)
    return {"stem": {"kind": "conv7x7", "width": 64}, "stages": stages, "head": {"kind": "linear"}}


NETWORKS = {
    "seresnet18": _resnet("basic", (2, 2, 2, 2)),
    "seresnet34": _resnet("basic", (3, 4, 6, 3)),
    "seresnet50": _resnet("bottleneck", (3, 4, 6, 3)),
    "seresnet101": _resnet("bottleneck", (3, 4, 23, 3)),
    "seresnet152": _resnet("bottleneck", (3, 8, 36, 3)),
}

TIMM = (
    (r"layer(\d)\.(\d+)\.se\.fc1\.", r"stages.\1-1.\2.branch.attention.gate.squeeze."),
    (r"layer(\d)\.(\d+)\.se\.fc2\.", r"stages.\1-1.\2.branch.attention.gate.expand."),
    *TORCHVISION,
)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's SE-ResNet."""
    return by_patterns(TIMM, tensor)
