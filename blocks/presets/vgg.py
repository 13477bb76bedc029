"""VGG networks for images of 224x224 in 1000 classes. Simonyan and Zisserman 2014, table 1, https://arxiv.org/abs/1409.1556

The paper's letters are A, B, D and E. As in torchvision, those with batch norm keep the biases of their convolutions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from blocks.renaming import by_patterns

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def _vgg(depths: tuple[int, ...], norm: str) -> dict[str, Any]:
    block = {"kind": "plain", "norm": norm, "bias": True, "downsampling": "max_pool"}
    stages = [
        {"block": block, "depth": depth, "width": width, "stride": 2 if index else 1}
        for index, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True))
    ]
    return {"stem": {"kind": "none"}, "stages": stages, "head": {"kind": "vgg", "num_classes": 1000}}


NETWORKS = {
    f"{name}{end}": _vgg(depths, norm)
    for name, depths in DEPTHS.items()
    for end, norm in (("", "none"), ("_bn", "batch"))
}
INPUTS = dict.fromkeys(NETWORKS, 224)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's VGG."""
    return by_patterns(_patterns(preset), tensor)


@cache
def _patterns(preset: str) -> tuple[tuple[str, str], ...]:
    """torchvision counts all layers of the stages, from 0: convolutions, norms, activations, poolings."""
    name, normed = preset.removesuffix("_bn"), preset.endswith("_bn")
    patterns = []
    index = 0
    for stage, depth in enumerate(DEPTHS[name]):
        for block in range(depth):
            patterns.append((rf"features\.{index}\.", f"stages.{stage}.{block}.conv."))
            if normed:
                patterns.append((rf"features\.{index + 1}\.", f"stages.{stage}.{block}.norm."))
            index += 3 if normed else 2
        index += 1
    head = {0: "hidden1", 3: "hidden2", 6: "linear"}
    return (*patterns, *((rf"classifier\.{theirs}\.", f"head.{ours}.") for theirs, ours in head.items()))
