"""ResNets with a deep stem and average-pooled projections. He et al. 2018 (ResNet-D), https://arxiv.org/abs/1812.01187

The names are timm's.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling
from blocks.presets.imagenet_resnet import TORCHVISION
from blocks.renaming import by_patterns


def resnet_d(block: str, depths: tuple[int, ...], stem: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Returns a ResNet-D of these depths as plain data; ``fields`` are more of each block's, ``stem`` of the stem's."""
    stages = doubling({"kind": block, "shortcut": "average_projection", **fields}, depths, 64)
    return {"stem": {"kind": "deep", "width": 64, **(stem or {})}, "stages": stages, "head": {"kind": "linear"}}


NETWORKS = {
    "resnet18d": resnet_d("basic", (2, 2, 2, 2)),
    "resnet26d": resnet_d("bottleneck", (2, 2, 2, 2)),
    "resnet34d": resnet_d("basic", (3, 4, 6, 3)),
    "resnet50d": resnet_d("bottleneck", (3, 4, 6, 3)),
    "resnet101d": resnet_d("bottleneck", (3, 4, 23, 3)),
    "resnet152d": resnet_d("bottleneck", (3, 8, 36, 3)),
    "resnet200d": resnet_d("bottleneck", (3, 24, 36, 3)),
}

TIMM = (
    (r"conv1\.0\.", r"stem.conv1."),
    (r"conv1\.1\.", r"stem.norm1."),
    (r"conv1\.3\.", r"stem.conv2."),
    (r"conv1\.4\.", r"stem.norm2."),
    (r"conv1\.6\.", r"stem.conv3."),
    (r"bn1\.", r"stem.norm3."),
    (r"layer(\d)\.(\d+)\.downsample\.1\.", r"stages.\1-1.\2.shortcut.conv."),
    (r"layer(\d)\.(\d+)\.downsample\.2\.", r"stages.\1-1.\2.shortcut.norm."),
    *TORCHVISION,
)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's ResNet-D."""
    return by_patterns(TIMM, tensor)
