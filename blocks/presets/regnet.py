"""RegNets for images of 224x224 in 1000 classes. Radosavovic et al. 2020, figures 16 and 17, https://arxiv.org/abs/2003.13678

Widths are rounded as in torchvision, and so differ from the paper's in places. ``regnet_x_200mf`` is only the paper's,
``regnet_y_128gf`` is Goyal et al. 2021's (https://arxiv.org/abs/2103.01988). ``regnetz_005`` and the like are timm's
RegNetZs (Dollár et al. 2021, https://arxiv.org/abs/2103.06877), for images of 256x256 but for the first.
"""

from __future__ import annotations

from typing import Any

from blocks.renaming import by_patterns


def _regnet(block: str, depth: int, w_0: int, w_a: float, w_m: float, group_width: int) -> dict[str, Any]:
    numbers = {"depth": depth, "w_0": w_0, "w_a": w_a, "w_m": w_m, "group_width": group_width}
    return {"generate": {"kind": "regnet", "block": block, **numbers}}


def _regnet_z(depth: int, w_0: int, w_a: float, w_m: float, group_width: int, head: int | None) -> dict[str, Any]:
    network = _regnet("regnet_z", depth, w_0, w_a, w_m, group_width)
    stem = {"kind": "conv3x3", "width": 32, "stride": 2, "activation": "silu"}
    kind = {"kind": "linear"} if head is None else {"kind": "convolution", "width": head}
    return {**network, "stem": stem, "head": {**kind, "activation": "silu"}}


NETWORKS = {
    "regnet_x_200mf": _regnet("regnet_x", 13, 24, 36.44, 2.49, 8),
    "regnet_x_400mf": _regnet("regnet_x", 22, 24, 24.48, 2.54, 16),
    "regnet_x_800mf": _regnet("regnet_x", 16, 56, 35.73, 2.28, 16),
    "regnet_x_1_6gf": _regnet("regnet_x", 18, 80, 34.01, 2.25, 24),
    "regnet_x_3_2gf": _regnet("regnet_x", 25, 88, 26.31, 2.25, 48),
    "regnet_x_8gf": _regnet("regnet_x", 23, 80, 49.56, 2.88, 120),
    "regnet_x_16gf": _regnet("regnet_x", 22, 216, 55.59, 2.1, 128),
    "regnet_x_32gf": _regnet("regnet_x", 23, 320, 69.86, 2.0, 168),
    "regnet_y_400mf": _regnet("regnet_y", 16, 48, 27.89, 2.09, 8),
    "regnet_y_800mf": _regnet("regnet_y", 14, 56, 38.84, 2.4, 16),
    "regnet_y_1_6gf": _regnet("regnet_y", 27, 48, 20.71, 2.65, 24),
    "regnet_y_3_2gf": _regnet("regnet_y", 21, 80, 42.63, 2.66, 24),
    "regnet_y_8gf": _regnet("regnet_y", 17, 192, 76.82, 2.19, 56),
    "regnet_y_16gf": _regnet("regnet_y", 18, 200, 106.23, 2.48, 112),
    "regnet_y_32gf": _regnet("regnet_y", 20, 232, 115.89, 2.53, 232),
    "regnet_y_128gf": _regnet("regnet_y", 27, 456, 160.83, 2.52, 264),
    "regnetz_005": _regnet_z(21, 16, 10.7, 2.51, 4, 1024),
    "regnetz_040": _regnet_z(28, 48, 14.5, 2.226, 8, None),
    "regnetz_040_h": _regnet_z(28, 48, 14.5, 2.226, 8, 1536),
}
INPUTS = {"regnetz_040": 256, "regnetz_040_h": 256}

BLOCK = r"trunk_output\.block(\d)\.block\d-(\d+)\."

TORCHVISION = (
    (r"stem\.0\.", r"stem.conv."),
    (r"stem\.1\.", r"stem.norm."),
    (rf"{BLOCK}proj\.0\.", r"stages.\1-1.\2.shortcut.conv."),
    (rf"{BLOCK}proj\.1\.", r"stages.\1-1.\2.shortcut.norm."),
    *(
        (rf"{BLOCK}f\.{letter}\.{index}\.", rf"stages.\1-1.\2.branch.{layer}{number}.")
        for number, letter in enumerate("abc", 1)
        for index, layer in enumerate(("conv", "norm"))
    ),
    (rf"{BLOCK}f\.se\.fc1\.", r"stages.\1-1.\2.branch.inner_attention.gate.squeeze."),
    (rf"{BLOCK}f\.se\.fc2\.", r"stages.\1-1.\2.branch.inner_attention.gate.expand."),
    (r"fc\.", r"head.linear."),
)


def torchvision_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of torchvision's RegNet."""
    return by_patterns(TORCHVISION, tensor)


TIMM_BLOCK = r"s(\d)\.b(\d+)\."

TIMM = (
    (r"stem\.conv\.", r"stem.conv."),
    (r"stem\.bn\.", r"stem.norm."),
    (rf"{TIMM_BLOCK}conv(\d)\.conv\.", r"stages.\1-1.\2-1.branch.conv\3."),
    (rf"{TIMM_BLOCK}conv(\d)\.bn\.", r"stages.\1-1.\2-1.branch.norm\3."),
    (rf"{TIMM_BLOCK}se\.fc1\.", r"stages.\1-1.\2-1.branch.inner_attention.gate.squeeze."),
    (rf"{TIMM_BLOCK}se\.fc2\.", r"stages.\1-1.\2-1.branch.inner_attention.gate.expand."),
    (r"final_conv\.conv\.", r"head.conv."),
    (r"final_conv\.bn\.", r"head.norm."),
    (r"head\.fc\.", r"head.linear."),
)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's RegNetZ."""
    return by_patterns(TIMM, tensor)
