"""ResNet-Ds that blur before they subsample. Zhang 2019, https://arxiv.org/abs/1904.11486

The names are timm's.
"""

from __future__ import annotations

from blocks.presets import resnet_d

STEM = {"anti_alias": True}

NETWORKS = {
    "resnetblur50d": resnet_d.resnet_d("bottleneck", (3, 4, 6, 3), STEM, anti_alias=True),
    "resnetblur101d": resnet_d.resnet_d("bottleneck", (3, 4, 23, 3), STEM, anti_alias=True),
}


def timm_name(preset: str, tensor: str) -> str:
    """Returns our name of a tensor of timm's blurred ResNet-D."""
    return resnet_d.timm_name(preset, tensor)
