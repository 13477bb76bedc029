"""Export formats, one file each: a new file here is a new ``--to`` of ``search.export``, and nothing else is edited.

A format's module has

- ``SUFFIX``: what its file's name ends in; empty for a folder;
- ``write(order) -> list[str]``: writes what is ordered and returns sentences about it: what was checked, and how well
  it agrees. Raises ``InputError`` if a library is missing or the network can't be written so.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from blocks.source import InputError
from search.providers import CPU

if TYPE_CHECKING:
    from blocks import TrainedNetwork
    from search.data.images import Splits


class Order(NamedTuple):
    """What is to be written.

    Attributes:
        model: The trained network.
        out: The file or folder.
        splits: Loads the data that it was trained on, for what has to see images.
        fixed_size: Whether the images' size is to be fixed to that of the training.
        provider: What ONNX Runtime checks a graph on.
    """

    model: TrainedNetwork
    out: Path
    splits: Callable[[], Splits]
    fixed_size: bool = False
    provider: str = CPU


class Format(Protocol):
    """What a format's module has."""

    SUFFIX: str

    def write(self, order: Order) -> list[str]: ...


def names() -> list[str]:
    """Returns the names of all formats, none of which is imported for it."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def format_called(name: str) -> Format:
    """Returns a format's module."""
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))


def library(name: str, extra: str) -> ModuleType:
    """Imports a library that is not always there. Raises ``InputError`` that says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"this needs {name}, which isn't there ({error}): pip install 'residual-search[{extra}]'"
        ) from None
