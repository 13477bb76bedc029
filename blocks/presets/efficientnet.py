"""EfficientNets in 1000 classes, each for its size of images. Tan and Le 2019, https://arxiv.org/abs/1905.11946

B1 to B7 are B0 (table 1) with its widths and depths multiplied. Images, batch norms and dropout are torchvision's.
"""

from __future__ import annotations

import math
from typing import Any

from blocks.renaming import by_patterns

B0_STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, width, depth, stride."""

USUAL_NORM = {"kind": "batch"}
LATE_NORM = {"kind": "batch", "epsilon": 1e-3, "momentum": 0.01}

SIZES: dict[str, tuple[float, float, float, int, dict[str, Any]]] = {
    "b0": (1, 1, 0.2, 224, USUAL_NORM),
    "b1": (1, 1.1, 0.2, 240, USUAL_NORM),
    "b2": (1.1, 1.2, 0.3, 288, USUAL_NORM),
    "b3": (1.2, 1.4, 0.3, 300, USUAL_NORM),
    "b4": (1.4, 1.8, 0.4, 380, USUAL_NORM),
    "b5": (1.6, 2.2, 0.4, 456, LATE_NORM),
    "b6": (1.8, 2.6, 0.5, 528, LATE_NORM),
    "b7": (2, 3.1, 0.5, 600, LATE_NORM),
}
"""What multiplies widths and depths; dropout, the side of the images, and the norm."""


def _widened(width: int, factor: float) -> int:
    """Returns width * factor to the nearest multiple of 8 that isn't more than a tenth below it."""
    exact = width * factor
    nearest = max(8, math.floor(exact / 8 + 0.5) * 8)
    return nearest if nearest >= 0.9 * exact else nearest + 8


def _efficientnet(width_factor: float, depth_factor: float, dropout: float, norm: dict[str, Any]) -> dict[str, Any]:
    common = {"activation": "silu", "norm": norm}
    attention = {"kind": "se", "ratio": 0.25, "of": "input", "activation": "silu"}
    block = {"kind": "inverted_bottleneck", "attention": attention, **common}
    stages = [
        {
            "block": {**block, "expansion": expansion, "kernel": kernel},
            "width": _widened(width, width_factor),
            "depth": math.ceil(depth * depth_factor),
            "stride": stride,
        }
        for expansion, kernel, width, depth, stride in B0_STAGES
    ]
    last = 4 * _widened(B0_STAGES[-1][2], width_factor)
    return {
        "stem": {"kind": "conv3x3", "width": _widened(32, width_factor), "stride": 2, **common},
        "stages": stages,
        "head": {"kind": "convolution", "width": last, "dropout": dropout, "num_classes": 1000, **common},
        "drop_path": 0.2,
    }


NETWORKS = {
    f"efficientnet_{size}": _efficientnet(widths, depths, dropout, norm)
    for size, (widths, depths, dropout, _, norm) in SIZES.items()
}
INPUTS = {f"efficientnet_{size}": side for size, (_, _, _, side, _) in SIZES.items()}

STEM_AND_HEAD = (
    (r"features\.0\.0\.", r"stem.conv."),
    (r"features\.0\.1\.", r"stem.norm."),
    (r"features\.8\.0\.", r"head.conv."),
    (r"features\.8\.1\.", r"head.norm."),
    (r"classifier\.1\.", r"head.linear."),
)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's EfficientNet."""
    return by_patterns((*STEM_AND_HEAD, *_blocks("1", 2), *_blocks("[2-7]", 1)), tensor)


def _blocks(stages: str, first: int) -> list[tuple[str, str]]:
    """Returns the patterns of some stages' blocks; their first convolution is our ``first``, 2 if none expands."""
    theirs, ours = rf"features\.({stages})\.(\d+)\.block\.", r"stages.\1-1.\2.branch."
    gate = 3 - first
    names = [(rf"{of - first}\.0", f"conv{of}") for of in range(first, 3)]
    names += [(rf"{of - first}\.1", f"norm{of}") for of in range(first, 3)]
    names += [(rf"{gate}\.fc1", "inner_attention.gate.squeeze"), (rf"{gate}\.fc2", "inner_attention.gate.expand")]
    names += [(rf"{gate + 1}\.0", "conv3"), (rf"{gate + 1}\.1", "norm3")]
    return [(rf"{theirs}{their}\.", f"{ours}{our}.") for their, our in names]
