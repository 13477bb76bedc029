"""Published networks by name. A file of this folder holds a family: ``NETWORKS``, names to networks as plain data."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from blocks.base import did_you_mean
from blocks.errors import UnknownPreset
from blocks.spec import NetworkSpec


def preset(name: str) -> NetworkSpec:
    """Returns a published network.

    Raises:
        UnknownPreset: If there is none of this name; the message lists the known ones and the nearest.
    """
    known = _networks()
    if name not in known:
        names = ", ".join(known)
        raise UnknownPreset(f"unknown preset {name!r}: known are {names}{did_you_mean(name, known)}")
    return NetworkSpec.model_validate(known[name])


def preset_names() -> tuple[str, ...]:
    """Returns the names of all presets, family by family, small to large."""
    return tuple(_networks())


@cache
def _networks() -> Mapping[str, Mapping[str, Any]]:
    networks: dict[str, Mapping[str, Any]] = {}
    for module in pkgutil.iter_modules(__path__):
        networks |= importlib.import_module(f"{__name__}.{module.name}").NETWORKS
    return networks
