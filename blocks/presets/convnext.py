"""ConvNeXts for images of 224x224 in 1000 classes. Liu et al. 2022, section 3, https://arxiv.org/abs/2201.03545

The rates of drop path are those of the paper's table 5, training on ImageNet-1K alone.
"""

from __future__ import annotations

from typing import Any

from blocks.renaming import by_patterns

SIZES = {
    "tiny": (96, (3, 3, 9, 3), 0.1),
    "small": (96, (3, 3, 27, 3), 0.4),
    "base": (128, (3, 3, 27, 3), 0.5),
    "large": (192, (3, 3, 27, 3), 0.5),
}
"""The first stage's width, each stage's depth, and the rate of drop path."""


def _convnext(width: int, depths: tuple[int, ...], drop_path: float) -> dict[str, Any]:
    stages = [
        {"block": "convnext", "width": width * 2**index, "depth": depth, "stride": 1 if index == 0 else 2}
        for index, depth in enumerate(depths)
    ]
    return {
        "stem": {"kind": "patchify", "patch": 4, "width": width, "bias": True},
        "stages": stages,
        "head": {"kind": "linear", "pooled_norm": "layer", "num_classes": 1000},
        "drop_path": drop_path,
    }


NETWORKS = {f"convnext_{size}": _convnext(*numbers) for size, numbers in SIZES.items()}

LAYERS = ((0, "depthwise"), (2, "norm"), (3, "expand"), (5, "project"))
"""The layers of torchvision's block that have weights, and our names of them."""


def _patterns() -> list[tuple[str, str]]:
    patterns = [
        (r"features\.0\.0\.", "stem.conv."),
        (r"features\.0\.1\.", "stem.norm."),
        (r"classifier\.0\.", "head.pooled_norm."),
        (r"classifier\.2\.", "head.linear."),
    ]
    for stage in range(4):
        theirs, ours = rf"features\.{2 * stage + 1}\.(\d+)\.", rf"stages.{stage}.\1.branch."
        before, arrival = rf"features\.{2 * stage}\.", f"stages.{stage}.0.before."
        patterns += [(rf"{before}0\.", f"{arrival}norm."), (rf"{before}1\.", f"{arrival}conv.")]
        patterns += [(rf"{theirs}block\.{index}\.", f"{ours}{layer}.") for index, layer in LAYERS]
        patterns += [(rf"{theirs}layer_scale", f"{ours}scale.scale")]
    return patterns


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's ConvNeXt."""
    return by_patterns(_patterns(), tensor)
