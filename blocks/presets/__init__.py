"""Published networks by name, and their published weights. A file of this folder holds a family:

NETWORKS                           names to networks as plain data
INPUTS                             names to the side of the images that they are published for, where it isn't what
                                   the stem is usually for
torchvision_name(preset, tensor)   our name of a tensor of torchvision's network of the same name, if there is one
timm_name(preset, tensor)          the same for timm's
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

from blocks.base import did_you_mean
from blocks.errors import UnknownPreset
from blocks.spec import NetworkSpec

if TYPE_CHECKING:
    from blocks.network import Network


NEAREST = 8


@overload
def preset(name: str) -> NetworkSpec: ...
@overload
def preset(name: str, weights: str) -> Network: ...
def preset(name: str, weights: str | None = None) -> NetworkSpec | Network:
    """Returns a published network: as a spec, or with weights, as a module in evaluation mode.

    Args:
        name: One of `preset_names`.
        weights: torchvision's, by their name there: ``"torchvision:IMAGENET1K_V2"`` or ``"torchvision:DEFAULT"``. They
            are downloaded once, into torch's own cache, and checked against torchvision's hash.

    Raises:
        UnknownPreset: If there is none of this name; the message lists the known ones and the nearest.
        WeightsError: If there are no such weights for this network, or they don't fit it.
    """
    family, network = _find(name)
    spec = NetworkSpec.model_validate(network)
    if weights is None:
        return spec
    from blocks.torchvision_weights import published

    return published(name, spec, family, weights)


def preset_names() -> tuple[str, ...]:
    """Returns the names of all presets, family by family, small to large."""
    return tuple(_networks())


def preset_input(name: str) -> tuple[int, int, int]:
    """Returns C H W of the images that a preset is published for. Raises ``UnknownPreset``."""
    family, _ = _find(name)
    spec = preset(name)
    side = getattr(family, "INPUTS", {}).get(name, spec.stem.usual_size)
    return spec.in_channels, side, side


def preset_family(name: str) -> ModuleType:
    """Returns the module of this folder that holds a preset. Raises ``UnknownPreset``."""
    return _find(name)[0]


def doubling(block: str | dict[str, Any], depths: Sequence[int], width: int) -> list[dict[str, Any]]:
    """Returns a ResNet's stages as plain data: each but the first halves the map and doubles the width."""
    return [
        {"block": block, "depth": depth, "width": width * 2**index, "stride": 2 if index else 1}
        for index, depth in enumerate(depths)
    ]


def _find(name: str) -> tuple[ModuleType, Mapping[str, Any]]:
    known = _networks()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=NEAREST, cutoff=0.5)
        which = f"the nearest are {', '.join(near)}" if near else f"the first are {', '.join(list(known)[:NEAREST])}"
        hint = did_you_mean(name, known)
        start = f"unknown preset {name!r}{hint} Of" if hint else f"unknown preset {name!r}: of"
        raise UnknownPreset(f"{start} {len(known)} (preset_names() lists them), {which}")
    return known[name]


@cache
def _networks() -> Mapping[str, tuple[ModuleType, Mapping[str, Any]]]:
    networks: dict[str, tuple[ModuleType, Mapping[str, Any]]] = {}
    for found in pkgutil.iter_modules(__path__):
        family = importlib.import_module(f"{__name__}.{found.name}")
        for name, network in family.NETWORKS.items():
            if name in networks:
                raise ValueError(
                    f"two presets are called {name!r}: in {networks[name][0].__name__} and {family.__name__}"
                )
            networks[name] = family, network
    return networks
