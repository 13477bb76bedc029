"""torchvision's ResNets into ours: the same network under other names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from blocks.network import Network
from blocks.tensors import copy_into

RENAMED = (
    (r"conv1\.", "stem.conv."),
    (r"bn1\.", "stem.norm."),
    (r"fc\.", "head.linear."),
    (r"layer(\d)\.(\d+)\.conv(\d)\.", r"stages.\1.\2.branch.conv\3."),
    (r"layer(\d)\.(\d+)\.bn(\d)\.", r"stages.\1.\2.branch.norm\3."),
    (r"layer(\d)\.(\d+)\.downsample\.0\.", r"stages.\1.\2.shortcut.conv."),
    (r"layer(\d)\.(\d+)\.downsample\.1\.", r"stages.\1.\2.shortcut.norm."),
)


def load_torchvision(network: Network, state_dict: Mapping[str, Tensor]) -> None:
    """Copies the ``state_dict`` of a torchvision ResNet into the preset of the same name.

    Raises:
        WeightsError: If any name, shape or type differs; nothing is copied then.
    """
    copy_into(network, {_ours(name): tensor for name, tensor in state_dict.items()}, "torchvision's weights")


def _ours(name: str) -> str:
    """Returns our name of a torchvision tensor, or the name unchanged if it is none that is known."""
    for pattern, ours in RENAMED:
        if (match := re.match(pattern, name)) is not None:
            renamed = match.expand(ours) + name[match.end() :]
            return re.sub(r"^stages\.(\d+)", lambda stage: f"stages.{int(stage[1]) - 1}", renamed)
    return name
