"""Weights of torchvision (and of timm) into our networks: the same tensors under other names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from blocks.base import did_you_mean
from blocks.errors import WeightsError
from blocks.network import Network
from blocks.presets import preset_family
from blocks.spec import NetworkSpec
from blocks.tensors import copy_into

ORIGIN = "torchvision:"


def published(name: str, spec: NetworkSpec, family: ModuleType, weights: str) -> Network:
    """Returns a preset with torchvision's weights, in evaluation mode. See `blocks.presets.preset`."""
    chosen = _chosen(name, family, weights)
    try:
        state_dict = chosen.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:  # no network, a full disk; a hash that is wrong
        where = f"{chosen.url}, into {Path(torch.hub.get_dir()) / 'checkpoints'}"
        raise WeightsError(f"torchvision's weights can't be had from {where}: {error}") from None
    network = spec.build(seed=0)
    load_torchvision(network, state_dict, name)
    return network.eval()


def demand_published(name: str, weights: str) -> None:
    """Raises ``WeightsError`` if torchvision has no such weights for a preset; nothing is downloaded."""
    _chosen(name, preset_family(name), weights)


def _chosen(name: str, family: ModuleType, weights: str) -> Any:
    """Returns torchvision's entry of weights. Raises ``WeightsError`` if there is none."""
    from torchvision import models

    if not hasattr(family, "torchvision_name") or name not in models.list_models():
        raise WeightsError(f"torchvision has no weights for {name!r}")
    choices = models.get_model_weights(name)
    names = [f"{ORIGIN}{choice}" for choice in choices.__members__]
    if not weights.startswith(ORIGIN):
        whole = f"{ORIGIN}{weights}"
        hint = f"; did you mean '{whole}'?" if whole in names else did_you_mean(weights, names)
        raise WeightsError(f"{weights!r}: weights are named as in '{names[0]}'{hint}")
    if weights not in (*names, f"{ORIGIN}DEFAULT"):
        wanted = weights.removeprefix(ORIGIN)
        raise WeightsError(
            f"torchvision has no weights {wanted!r} for {name!r}: there are {', '.join(names)}"
            f"{did_you_mean(weights, names)}"
        )
    return choices[weights.removeprefix(ORIGIN)]


def load_torchvision(network: Network, state_dict: Mapping[str, Tensor], name: str = "resnet18") -> None:
    """Copies the ``state_dict`` of a torchvision network into the preset of the same name.

    Args:
        network: Built from the preset.
        state_dict: Of torchvision's network.
        name: The preset's; all of its family are alike in this, so that any ResNet's serves all ResNets.

    Raises:
        WeightsError: If any name, shape or type differs; nothing is copied then.
    """
    rename: Callable[[str, str], str] = preset_family(name).torchvision_name
    copy_into(network, renamed(network, state_dict, lambda tensor: rename(name, tensor)), "torchvision's weights")


def renamed(network: Network, state_dict: Mapping[str, Tensor], rename: Callable[[str], str]) -> dict[str, Tensor]:
    """Returns tensors under our names; linear layers that are 1x1 convolutions on the other side, in our shape."""
    own = network.state_dict()
    tensors: dict[str, Tensor] = {}
    for name, tensor in state_dict.items():
        ours = rename(name)
        if ours in own and own[ours].dim() != tensor.dim() and own[ours].numel() == tensor.numel():
            tensor = tensor.reshape(own[ours].shape)
        tensors[ours] = tensor
    return tensors
