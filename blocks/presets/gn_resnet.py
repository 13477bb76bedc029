"""ResNets with group norm, in 32 groups. Wu and He 2018, https://arxiv.org/abs/1803.08494

The names are timm's.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling
from blocks.presets.imagenet_resnet import torchvision_name

NORM = {"kind": "group", "groups": 32}


def _resnet(depths: tuple[int, ...]) -> dict[str, Any]:
    stages = doubling({"kind": "bottleneck", "norm": NORM}, depths, 64)
    return {"stem": {"kind": "conv7x7", "width": 64, "norm": NORM}, "stages": stages, "head": {"kind": "linear"}}


NETWORKS = {"resnet50_gn": _resnet((3, 4, 6, 3))}


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's ResNet with group norm: the names are torchvision's."""
    return torchvision_name(preset, tensor)
