"""MobileNets for images of 224x224 in 1000 classes.

Version 1: Howard et al. 2017, table 1, https://arxiv.org/abs/1704.04861
Version 2: Sandler et al. 2018, table 2, https://arxiv.org/abs/1801.04381
"""

from __future__ import annotations

from typing import Any

from blocks.renaming import by_patterns

V1_STAGES = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Width, depth, stride."""

V2_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, width, depth, stride; the paper's t, c, n, s."""


def _v1() -> dict[str, Any]:
    block = {"kind": "depthwise_separable"}
    stages = [{"block": block, "width": width, "depth": depth, "stride": stride} for width, depth, stride in V1_STAGES]
    return {
        "stem": {"kind": "conv3x3", "width": 32, "stride": 2},
        "stages": stages,
        "head": {"kind": "linear", "num_classes": 1000},
    }


def _v2() -> dict[str, Any]:
    stages = [
        {
            "block": {"kind": "inverted_bottleneck", "expansion": expansion},
            "width": width,
            "depth": depth,
            "stride": stride,
        }
        for expansion, width, depth, stride in V2_STAGES
    ]
    return {
        "stem": {"kind": "conv3x3", "width": 32, "stride": 2, "activation": "relu6"},
        "stages": stages,
        "head": {"kind": "convolution", "width": 1280, "dropout": 0.2, "num_classes": 1000},
    }


NETWORKS = {"mobilenet_v1": _v1(), "mobilenet_v2": _v2()}
INPUTS = dict.fromkeys(NETWORKS, 224)

PLACES = [f"stages.{stage}.{block}" for stage, row in enumerate(V2_STAGES) for block in range(row[2])]
"""Our names of version 2's blocks, which torchvision counts through, from 1."""

OTHERS = (
    (r"features\.0\.0\.", r"stem.conv."),
    (r"features\.0\.1\.", r"stem.norm."),
    (rf"features\.{len(PLACES) + 1}\.0\.", r"head.conv."),
    (rf"features\.{len(PLACES) + 1}\.1\.", r"head.norm."),
    (r"classifier\.1\.", r"head.linear."),
)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's MobileNetV2."""
    patterns = [pattern for index, place in enumerate(PLACES, 1) for pattern in _block(index, place)]
    return by_patterns((*OTHERS, *patterns), tensor)


def _block(index: int, place: str) -> list[tuple[str, str]]:
    """Returns the patterns of one block: each convolution with its norm nested, but for the last."""
    theirs, ours = rf"features\.{index}\.conv\.", f"{place}.branch."
    nested = ["2"] if index == 1 else ["1", "2"]  # the first block doesn't expand
    names = [(rf"{at}\.0", f"conv{of}") for at, of in enumerate(nested)]
    names += [(rf"{at}\.1", f"norm{of}") for at, of in enumerate(nested)]
    last = len(nested)
    names += [(str(last), "conv3"), (str(last + 1), "norm3")]
    return [(rf"{theirs}{their}\.", f"{ours}{our}.") for their, our in names]
