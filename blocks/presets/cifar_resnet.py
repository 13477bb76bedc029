"""ResNets for images of 32x32 in 10 classes. He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385

The paper's own have zero-padded shortcuts (option A): ``resnet20_zero_padded``. The others have 1x1 projections
(option B).
"""

from __future__ import annotations

from typing import Any

DEPTHS = (20, 32, 44, 56, 110, 1202)


def _resnet(depth: int, widths: tuple[int, ...] = (16, 32, 64), shortcut: str = "projection") -> dict[str, Any]:
    block = {"kind": "basic", "shortcut": shortcut}
    stages = [
        {"block": block, "depth": depth, "width": width, "stride": 1 if index == 0 else 2}
        for index, width in enumerate(widths)
    ]
    stem = {"kind": "conv3x3", "width": widths[0]}
    return {"stem": stem, "stages": stages, "head": {"kind": "linear", "num_classes": 10}}


NETWORKS = {
    **{f"resnet{layers}": _resnet((layers - 2) // 6) for layers in DEPTHS},
    **{f"resnet{layers}_zero_padded": _resnet((layers - 2) // 6, shortcut="zero_padded") for layers in DEPTHS},
    "resnet18_cifar": _resnet(2, (64, 128, 256, 512)),  # ResNet-18 with a 3x3 stem
}
