"""ResNets for images of 32x32 in 10 classes. He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385

The paper's own have zero-padded shortcuts (option A): ``resnet20_zero_padded``. The others have 1x1 projections
(option B).
"""

from __future__ import annotations

from typing import Any

from blocks.presets import doubling

DEPTHS = (20, 32, 44, 56, 110, 1202)


def _resnet(depths: tuple[int, ...], width: int = 16, shortcut: str = "projection") -> dict[str, Any]:
    stages = doubling({"kind": "basic", "shortcut": shortcut}, depths, width)
    return {
        "stem": {"kind": "conv3x3", "width": width},
        "stages": stages,
        "head": {"kind": "linear", "num_classes": 10},
    }


def _equal(layers: int) -> tuple[int, int, int]:
    """Returns the depths of three equal stages."""
    depth = (layers - 2) // 6
    return depth, depth, depth


NETWORKS = {
    **{f"resnet{layers}": _resnet(_equal(layers)) for layers in DEPTHS},
    **{f"resnet{layers}_zero_padded": _resnet(_equal(layers), shortcut="zero_padded") for layers in DEPTHS},
    "resnet18_cifar": _resnet((2, 2, 2, 2), 64),  # ResNet-18 with a 3x3 stem
}
