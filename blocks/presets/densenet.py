"""DenseNets. Huang et al. 2016, tables 1 and 2, https://arxiv.org/abs/1608.06993

``densenet121`` and the like are for images of 224x224 in 1000 classes; ``densenet_bc100_k12`` (100 layers, growth 12)
and the like for 32x32 in 10.
"""

from __future__ import annotations

from typing import Any

from blocks.generators import UNNORMED
from blocks.renaming import by_patterns


def _densenet(stem: dict[str, Any], growth: int, depths: tuple[int, ...], classes: int) -> dict[str, Any]:
    stages = [
        {"block": "dense", "depth": depth, "width": growth, "stride": 2 if index else 1}
        for index, depth in enumerate(depths)
    ]
    head = {"kind": "linear", "num_classes": classes, "norm": "batch", "activation": "relu"}
    return {"stem": stem, "stages": stages, "head": head}


def _imagenet(growth: int, depths: tuple[int, int, int, int]) -> dict[str, Any]:
    return _densenet({"kind": "conv7x7", "width": 2 * growth}, growth, depths, 1000)


def _cifar(layers: int, growth: int) -> dict[str, Any]:
    stem = {"kind": "conv3x3", "width": 2 * growth, **UNNORMED}
    return _densenet(stem, growth, ((layers - 4) // 6,) * 3, 10)


NETWORKS = {
    "densenet121": _imagenet(32, (6, 12, 24, 16)),
    "densenet169": _imagenet(32, (6, 12, 32, 32)),
    "densenet201": _imagenet(32, (6, 12, 48, 32)),
    "densenet161": _imagenet(48, (6, 12, 36, 24)),
    "densenet_bc100_k12": _cifar(100, 12),
    "densenet_bc250_k24": _cifar(250, 24),
    "densenet_bc190_k40": _cifar(190, 40),
}

TORCHVISION = (
    (r"features\.conv0\.", r"stem.conv."),
    (r"features\.norm0\.", r"stem.norm."),
    (r"features\.denseblock(\d)\.denselayer(\d+)\.", r"stages.\1-1.\2-1.dense.branch."),
    (r"features\.transition(\d)\.", r"stages.\1.0.transition."),  # after their stage, before our next
    (r"features\.norm5\.", r"head.norm."),
    (r"classifier\.", r"head.linear."),
)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's DenseNet."""
    return by_patterns(TORCHVISION, tensor)
