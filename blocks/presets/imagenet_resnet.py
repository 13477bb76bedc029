"""ResNets for images of 224x224 in 1000 classes. He et al. 2015, table 1, https://arxiv.org/abs/1512.03385

The stride is on the 3x3 convolution, as in torchvision.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling
from blocks.renaming import by_patterns


def _resnet(block: str, depths: tuple[int, int, int, int]) -> dict[str, Any]:
    head = {"num_classes": 1000, "kind": "linear"}
    return {"stem": {"kind": "conv7x7", "width": 64}, "stages": doubling(block, depths, 64), "head": head}


NETWORKS = {
    "resnet18": _resnet("basic", (2, 2, 2, 2)),
    "resnet34": _resnet("basic", (3, 4, 6, 3)),
    "resnet50": _resnet("bottleneck", (3, 4, 6, 3)),
    "resnet101": _resnet("bottleneck", (3, 4, 23, 3)),
    "resnet152": _resnet("bottleneck", (3, 8, 36, 3)),
}

TORCHVISION = (
    (r"conv1\.", r"stem.conv."),
    (r"bn1\.", r"stem.norm."),
    (r"fc\.", r"head.linear."),
    (r"layer(\d)\.(\d+)\.conv(\d)\.", r"stages.\1-1.\2.branch.conv\3."),
    (r"layer(\d)\.(\d+)\.bn(\d)\.", r"stages.\1-1.\2.branch.norm\3."),
    (r"layer(\d)\.(\d+)\.downsample\.0\.", r"stages.\1-1.\2.shortcut.conv."),
    (r"layer(\d)\.(\d+)\.downsample\.1\.", r"stages.\1-1.\2.shortcut.norm."),
)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's ResNet."""
    return by_patterns(TORCHVISION, tensor)
