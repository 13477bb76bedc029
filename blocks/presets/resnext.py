"""ResNeXts. Xie et al. 2016, tables 1 and 7, https://arxiv.org/abs/1611.05431

Those of 29 layers are for images of 32x32 in 10 classes (section 5.4), the others for 224x224 in 1000.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling
from blocks.presets.imagenet_resnet import torchvision_name

__all__ = ["NETWORKS", "torchvision_name"]


def _resnext(stem: str, depths: tuple[int, ...], groups: int, width_per_group: int, classes: int) -> dict[str, Any]:
    block = {"kind": "resnext", "groups": groups, "width_per_group": width_per_group}
    stages = doubling(block, depths, 64)
    return {"stem": {"kind": stem, "width": 64}, "stages": stages, "head": {"kind": "linear", "num_classes": classes}}


NETWORKS = {
    "resnext50_32x4d": _resnext("conv7x7", (3, 4, 6, 3), 32, 4, 1000),
    "resnext101_32x8d": _resnext("conv7x7", (3, 4, 23, 3), 32, 8, 1000),
    "resnext101_64x4d": _resnext("conv7x7", (3, 4, 23, 3), 64, 4, 1000),
    "resnext29_8x64d": _resnext("conv3x3", (3, 3, 3), 8, 64, 10),
    "resnext29_16x64d": _resnext("conv3x3", (3, 3, 3), 16, 64, 10),
}
