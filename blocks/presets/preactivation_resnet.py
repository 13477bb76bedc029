"""ResNets with pre-activation. He et al. 2016, https://arxiv.org/abs/1603.05027

``resnetv2_50`` and the like are timm's, for images of 224x224 in 1000 classes; those with a d have three 3x3
convolutions for a stem, and average-pooling in their shortcuts (He et al. 2018, https://arxiv.org/abs/1812.01187).
``preactivation_resnet110`` and the like are the paper's own for 32x32 in 10 classes (section 4).
"""

from __future__ import annotations

from typing import Any

from blocks.generators import UNNORMED
from blocks.presets import doubling
from blocks.renaming import by_patterns


def _preactivation(
    stem: dict[str, Any], block: dict[str, Any], depths: tuple[int, ...], classes: int
) -> dict[str, Any]:
    stages = doubling(block, depths, stem["width"])
    head = {"kind": "linear", "num_classes": classes, "norm": "batch", "activation": "relu"}
    return {"stem": stem, "stages": stages, "head": head}


def _imagenet(block: str, depths: tuple[int, int, int, int]) -> dict[str, Any]:
    return _preactivation(
        {"kind": "conv7x7", "width": 64, **UNNORMED}, {"kind": f"preactivation_{block}"}, depths, 1000
    )


def _imagenet_d(block: str, depths: tuple[int, int, int, int]) -> dict[str, Any]:
    stem = {"kind": "deep", "width": 64, "last": "bare"}
    kinds = {"kind": f"preactivation_{block}", "shortcut": "average_projection"}
    return _preactivation(stem, kinds, depths, 1000)


def _cifar(block: str, depth: int) -> dict[str, Any]:
    return _preactivation(
        {"kind": "conv3x3", "width": 16, **UNNORMED}, {"kind": f"preactivation_{block}"}, (depth,) * 3, 10
    )


BLOCKS_AND_DEPTHS = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}

NETWORKS = {
    **{f"resnetv2_{layers}": _imagenet(*given) for layers, given in BLOCKS_AND_DEPTHS.items()},
    **{f"resnetv2_{layers}d": _imagenet_d(*given) for layers, given in BLOCKS_AND_DEPTHS.items()},
    "preactivation_resnet110": _cifar("basic", 18),
    "preactivation_resnet164": _cifar("bottleneck", 18),
    "preactivation_resnet1001": _cifar("bottleneck", 111),
}

TIMM = (
    (r"stem\.", r"stem."),
    (r"stages\.(\d)\.blocks\.(\d+)\.norm1\.", r"stages.\1.\2.before.norm1."),
    (r"stages\.(\d)\.blocks\.(\d+)\.downsample\.", r"stages.\1.\2.shortcut."),
    (r"stages\.(\d)\.blocks\.(\d+)\.", r"stages.\1.\2.branch."),
    (r"norm\.", r"head.norm."),
    (r"head\.fc\.", r"head.linear."),
)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's ResNetV2."""
    return by_patterns(TIMM, tensor)
