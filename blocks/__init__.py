"""What a residual network is: as data, at what cost, as a torch module.

    spec = preset("resnet50")               # or NetworkSpec.from_yaml("winner.yaml"), or NetworkSpec(...)
    spec.cost((3, 224, 224))                # by arithmetic, nothing allocated
    network = spec.build(seed=0)            # an ordinary nn.Module
    network = load_model("winner.safetensors")

Importing this package doesn't import torch; building, measuring and loading do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blocks.block import BlockSpec, Site, register_block
from blocks.cost import Cost, measure
from blocks.errors import InfeasibleSpec, InputTooSmall, UnknownPreset, WeightsError
from blocks.presets import preset, preset_names
from blocks.spec import BlockCost, NetworkSpec, StageSpec
from blocks.walk import Limits

if TYPE_CHECKING:
    from blocks.initialisation import initialise
    from blocks.network import Network
    from blocks.tensors import dump_weights, weights_into
    from blocks.torchvision_weights import load_torchvision
    from blocks.weights import Metadata, TrainedNetwork, load_model, save_model

_NEEDS_TORCH = {
    "Metadata": "weights",
    "Network": "network",
    "TrainedNetwork": "weights",
    "dump_weights": "tensors",
    "initialise": "initialisation",
    "load_model": "weights",
    "load_torchvision": "torchvision_weights",
    "save_model": "weights",
    "weights_into": "tensors",
}

__all__ = [
    "BlockCost",
    "BlockSpec",
    "Cost",
    "InfeasibleSpec",
    "InputTooSmall",
    "Limits",
    "Metadata",
    "Network",
    "NetworkSpec",
    "Site",
    "StageSpec",
    "TrainedNetwork",
    "UnknownPreset",
    "WeightsError",
    "dump_weights",
    "initialise",
    "load_model",
    "load_torchvision",
    "measure",
    "preset",
    "preset_names",
    "register_block",
    "save_model",
    "weights_into",
]


def __getattr__(name: str) -> Any:
    """Imports what needs torch when it is asked for."""
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module 'blocks' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"blocks.{_NEEDS_TORCH[name]}"), name)
