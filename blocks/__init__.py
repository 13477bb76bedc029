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
from blocks.cost import Cost, Memory, measure
from blocks.errors import InfeasibleSpec, InputTooSmall, UnknownPreset, WeightsError
from blocks.limits import Limits
from blocks.presets import preset, preset_names
from blocks.spec import BlockCost, LayerCost, NetworkSpec
from blocks.stage import StageSpec

if TYPE_CHECKING:
    from blocks.folding import fold, for_inference
    from blocks.freezing import freeze_batch_norm, unfreeze_batch_norm
    from blocks.initialisation import initialise
    from blocks.network import Network
    from blocks.plugins import load_plugins
    from blocks.pruning import prune
    from blocks.renorming import replace_batch_norm
    from blocks.tensors import dump_weights, weights_into
    from blocks.torchvision_weights import load_torchvision
    from blocks.weights import Metadata, TrainedNetwork, load_model, save_model
    from blocks.written import python_source

_ON_DEMAND = {  # most of them need torch
    "Metadata": "weights",
    "Network": "network",
    "TrainedNetwork": "weights",
    "dump_weights": "tensors",
    "fold": "folding",
    "for_inference": "folding",
    "freeze_batch_norm": "freezing",
    "initialise": "initialisation",
    "load_model": "weights",
    "load_plugins": "plugins",
    "load_torchvision": "torchvision_weights",
    "prune": "pruning",
    "python_source": "written",
    "replace_batch_norm": "renorming",
    "save_model": "weights",
    "unfreeze_batch_norm": "freezing",
    "weights_into": "tensors",
}

__all__ = [
    "BlockCost",
    "BlockSpec",
    "Cost",
    "InfeasibleSpec",
    "InputTooSmall",
    "LayerCost",
    "Limits",
    "Memory",
    "Metadata",
    "Network",
    "NetworkSpec",
    "Site",
    "StageSpec",
    "TrainedNetwork",
    "UnknownPreset",
    "WeightsError",
    "dump_weights",
    "fold",
    "for_inference",
    "freeze_batch_norm",
    "initialise",
    "load_model",
    "load_plugins",
    "load_torchvision",
    "measure",
    "preset",
    "preset_names",
    "prune",
    "python_source",
    "register_block",
    "replace_batch_norm",
    "save_model",
    "unfreeze_batch_norm",
    "weights_into",
]


def __getattr__(name: str) -> Any:
    """Imports what is heavy when it is asked for."""
    if name not in _ON_DEMAND:
        raise AttributeError(f"module 'blocks' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"blocks.{_ON_DEMAND[name]}"), name)
