"""ResNets with efficient channel attention. Wang et al. 2019, https://arxiv.org/abs/1910.03151

The names are timm's: ResNet-Ds, the ones called "t" with a stem of 24, 32 and 64 channels, the light one with one 7x7
convolution for its stem.
"""

from __future__ import annotations

from typing import Any

from blocks.presets import resnet_d
from blocks.presets.imagenet_resnet import TORCHVISION
from blocks.renaming import by_patterns

TIERED = {"inner": [24, 32]}


def _resnet(depths: tuple[int, ...], stem: dict[str, Any] | None = None) -> dict[str, Any]:
    return resnet_d.resnet_d("bottleneck", depths, stem, attention={"kind": "eca"})


NETWORKS = {
    "ecaresnetlight": _resnet((1, 1, 11, 3), {"kind": "conv7x7"}),
    "ecaresnet26t": _resnet((2, 2, 2, 2), TIERED),
    "ecaresnet50d": _resnet((3, 4, 6, 3)),
    "ecaresnet50t": _resnet((3, 4, 6, 3), TIERED),
    "ecaresnet101d": _resnet((3, 4, 23, 3)),
    "ecaresnet200d": _resnet((3, 24, 36, 3)),
    "ecaresnet269d": _resnet((3, 30, 48, 8)),
}

ECA = ((r"layer(\d)\.(\d+)\.se\.conv\.", r"stages.\1-1.\2.branch.attention.gate.conv."),)


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's ECA-ResNet."""
    stem = TORCHVISION[:2] if preset == "ecaresnetlight" else ()
    return by_patterns((*ECA, *stem, *resnet_d.TIMM), tensor)
