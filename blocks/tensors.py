"""A network's weights as safetensors bytes, and back: all of them or none, and never a pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from blocks.errors import WeightsError

SHOWN = 5


def dump_weights(network: nn.Module) -> bytes:
    """Returns a module's parameters and persistent buffers as safetensors."""
    raw: bytes = safetensors.torch.save(tensors_of(network))
    return raw


def weights_into(network: nn.Module, raw: bytes) -> None:
    """Copies weights into a module of the same names, shapes and types.

    Raises:
        WeightsError: If these bytes aren't safetensors, or differ in any name, shape or type; nothing is copied then.
    """
    copy_into(network, parse_tensors(raw, "these weights"))


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Returns a module's ``state_dict`` as contiguous tensors on the CPU."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}


def parse_tensors(raw: bytes, origin: str) -> dict[str, Tensor]:
    """Returns the tensors of safetensors bytes; ``origin`` names them in errors. Raises ``WeightsError``."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(raw)
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{origin}: not a whole safetensors file ({error}); no other format is read") from None
    return tensors


def copy_into(network: nn.Module, tensors: Mapping[str, Tensor], origin: str = "these weights") -> None:
    """Copies tensors into a module, all or none. Raises ``WeightsError`` that lists the first differences."""
    differences = list(_differences(network.state_dict(), tensors))
    if differences:
        more = f"\n  (and {len(differences) - SHOWN} more)" if len(differences) > SHOWN else ""
        listed = "".join(f"\n  {difference}" for difference in differences[:SHOWN])
        raise WeightsError(f"{origin} don't fit the network:{listed}{more}")
    network.load_state_dict(dict(tensors), strict=True)


def hash_tensors(tensors: Mapping[str, Tensor], text: str) -> str:
    """Returns the SHA-256, in hexadecimal, of a text and of tensors with their names, types and shapes."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _differences(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Iterator[str]:
    for name, tensor in expected.items():
        if name not in given:
            yield f"{name} is missing"
        elif _kind(given[name]) != _kind(tensor):
            yield f"{name} is {_kind(given[name])} and should be {_kind(tensor)}"
    yield from (f"{name} is unknown to the network" for name in given if name not in expected)


def _kind(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "a single number"
    return f"{shape} ({str(tensor.dtype).removeprefix('torch.')})"
