"""Wide ResNets. Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146

``wide_resnet50_2`` and ``_101_2`` are torchvision's, for images of 224x224 in 1000 classes: ResNets whose inner width,
and only that, is twice as wide. ``wrn28_10`` and the like are the paper's own for 32x32 in 10 classes (table 1).
"""

from __future__ import annotations

from typing import Any

from blocks.generators import UNNORMED
from blocks.presets import doubling
from blocks.presets.imagenet_resnet import torchvision_name

__all__ = ["NETWORKS", "torchvision_name"]


def _imagenet(depths: tuple[int, int, int, int]) -> dict[str, Any]:
    block = {"kind": "resnext", "groups": 1, "width_per_group": 128}
    stem = {"kind": "conv7x7", "width": 64}
    return {"stem": stem, "stages": doubling(block, depths, 64), "head": {"kind": "linear", "num_classes": 1000}}


def _cifar(layers: int, widen: int) -> dict[str, Any]:
    return {
        "stem": {"kind": "conv3x3", "width": 16, **UNNORMED},
        "stages": doubling({"kind": "wide", "widen": widen}, ((layers - 4) // 6,) * 3, 16),
        "head": {"kind": "linear", "num_classes": 10, "norm": "batch", "activation": "relu"},
    }


NETWORKS = {
    "wide_resnet50_2": _imagenet((3, 4, 6, 3)),
    "wide_resnet101_2": _imagenet((3, 4, 23, 3)),
    "wrn40_4": _cifar(40, 4),
    "wrn16_8": _cifar(16, 8),
    "wrn28_10": _cifar(28, 10),
}
