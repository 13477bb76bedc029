"""Trained networks as single files: safetensors, with the spec and all that is needed to use it in its metadata.

Metadata of the file, each value JSON: ``schema``, ``spec``, ``labels``, ``input``, ``mean``, ``std``, ``metrics``,
``provenance``; and ``sha256``, over all of these and all tensors. Reading needs torch, pydantic and safetensors.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import safetensors.torch
from pydantic import ValidationError, ValidationInfo, field_validator, model_validator
from torch import Tensor

from blocks.base import Count, Number, Positive, Spec, Text, canonical_json
from blocks.complaints import first_complaint
from blocks.errors import InfeasibleSpec, WeightsError
from blocks.initialisation import seeded
from blocks.limits import LIMITS, demand
from blocks.network import Network
from blocks.plugins import load_plugins, loaded_plugins
from blocks.preprocess import Preprocess
from blocks.spec import NetworkSpec
from blocks.tensors import copy_into, hash_tensors, parse_tensors, tensors_of

SCHEMA = 1
USUAL = ("winner.safetensors", "model.safetensors")
"""What a model's file is called in a run directory, and in a folder as the Hugging Face Hub has it."""


class Kind(NamedTuple):
    """What a value has to be, in words, and whether one is."""

    said: str
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_interval(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))


def _are_hashes(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(sha256, str) for sha256 in value.values())


NUMBER, INTERVAL = Kind("a number", _is_number), Kind("two numbers", _is_interval)
TEXT = Kind("a text", lambda value: isinstance(value, str))
MAPPING = Kind("a mapping", lambda value: isinstance(value, dict))
KINDS = {
    **dict.fromkeys(("study", "arm", "label", "phase", "trial", "data_checksum"), TEXT),
    **dict.fromkeys(("seed", "cut", "train_images"), NUMBER),
    **dict.fromkeys(("train", "versions", "derived_from"), MAPPING),
    "plugins": Kind("names with their SHA-256", _are_hashes),
}
"""Of what provenance holds, what this package reads."""


def _measured(name: str) -> Kind | None:
    """Returns what a metric has to be, by its name; None of a name that is the user's own."""
    if name.endswith("_interval"):
        return INTERVAL
    known = name in ("seeds", "macs", "params", "activations")
    return NUMBER if known or name.endswith(("_accuracy", "_accuracy_mean", "_images")) else None


class Metadata(Spec):
    """What travels with the weights, beside the spec.

    Attributes:
        labels: A name a class, in the order of the logits; empty if they have none.
        input: C H W of what the network was trained on.
        mean: Of each channel of the training images, in units of 0..1; what `Preprocess` subtracts.
        std: Likewise; what it divides by.
        metrics: Plain data: the scores that were measured, by name.
        provenance: Plain data: where the weights come from (study, arm, seed, versions). What this package reads of it
            has its kind: ``plugins``, ``train`` and ``versions`` are mappings, for example.
    """

    labels: tuple[Text, ...] = ()
    input: tuple[Count, Count, Count]
    mean: tuple[Number, ...]
    std: tuple[Positive, ...]
    metrics: dict[Text, Any] = {}
    provenance: dict[Text, Any] = {}

    @field_validator("metrics", "provenance")
    @classmethod
    def _of_their_kinds(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, value in given.items():
            kind = KINDS.get(name) if info.field_name == "provenance" else _measured(name)
            if kind is not None and value is not None and not (kind.fits(value)):
                raise ValueError(f"{name} should be {kind.said}, not {str(value)[:60]!r}")
        return given

    @model_validator(mode="after")
    def _one_a_channel(self) -> Self:
        if not len(self.mean) == len(self.std) == self.input[0]:
            raise ValueError(f"mean and std need {self.input[0]} values each, one a channel of the input")
        return self


class TrainedNetwork(Network):
    """A network as `load_model` returns it.

    Attributes:
        preprocess: From images (tensor or numpy array, N C H W, any size; uint8 in 0..255 or floats in 0..1) to what
            the network takes.
        labels: A name a class, or empty.
        metrics: The scores that were recorded, by name.
        provenance: Where the weights come from.
        metadata: All of that, as it was saved.
    """

    def __init__(self, spec: NetworkSpec, metadata: Metadata) -> None:
        super().__init__(spec)
        self.preprocess = Preprocess(metadata.input[1:], metadata.mean, metadata.std)
        self.labels = metadata.labels
        self.metrics = metadata.metrics
        self.provenance = metadata.provenance
        self.metadata = metadata

    def with_network(self, network: Network) -> TrainedNetwork:
        """Returns another network with this one's preprocessing, labels, metrics and provenance."""
        trained = TrainedNetwork(network.spec, self.metadata)
        trained.load_state_dict(network.state_dict())
        return trained


def save_model(path: str | Path, network: Network, metadata: Metadata) -> None:
    """Writes a network and its spec into one safetensors file; the file appears whole or not at all.

    Raises:
        WeightsError: If the metadata don't belong to such a network.
        OSError: If the file can't be written.
    """
    _demand_match(network.spec, metadata, "the metadata")
    tensors = tensors_of(network)
    texts = {"schema": str(SCHEMA), "spec": network.spec.canonical_json}
    texts |= {name: canonical_json(value) for name, value in metadata.plain().items()}
    texts["sha256"] = hash_tensors(tensors, canonical_json(texts))
    _write(Path(path), safetensors.torch.save(tensors, texts))


def load_model(path: str | Path, plugins: Iterable[str | Path] = ()) -> TrainedNetwork:
    """Reads a network that `save_model` wrote, in evaluation mode, on the CPU.

    Args:
        path: The file.
        plugins: Files that register the kinds of your own that it is made of. Nothing is imported that isn't named.

    Raises:
        WeightsError: If the file is missing, damaged or of a newer schema, holds no spec, doesn't fit its spec, or
            needs a plugin that isn't loaded.
        InputError: If a plugin can't be loaded.
    """
    load_plugins(plugins)
    texts, tensors = _intact(Path(path))
    spec, metadata = _parse(texts, str(path))
    network = _build(spec, metadata, tensors, str(path))
    copy_into(network, tensors, f"{path}: the weights")
    return network.eval()


def read_description(path: str | Path) -> tuple[NetworkSpec, Metadata]:
    """Reads what `save_model` wrote beside the weights; nothing is built.

    Raises:
        WeightsError: If the file is missing, damaged or of a newer schema, or holds no spec.
    """
    texts, _ = _intact(Path(path))
    return _parse(texts, str(path))


def _intact(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Returns the metadata and the tensors of a whole file. Raises ``WeightsError``."""
    raw = _read(path)
    tensors, texts = parse_tensors(raw, str(path)), _texts(raw)
    _demand_intact(texts, tensors, str(path))
    return texts, tensors


def _demand_intact(texts: Mapping[str, str], tensors: Mapping[str, Tensor], origin: str) -> None:
    if "spec" not in texts or "schema" not in texts:
        raise WeightsError(f"{origin}: a safetensors file without a network's spec inside; save_model writes one")
    if (schema := texts["schema"]) != str(SCHEMA):
        newer = schema.isdecimal() and int(schema) > SCHEMA
        said = f"{schema}, newer than" if newer else f"{schema[:40]!r}, which none ever was: it should be"
        raise WeightsError(f"{origin}: its schema is {said} the {SCHEMA} that this version reads")
    hashed = {name: text for name, text in texts.items() if name != "sha256"}
    if texts.get("sha256") != hash_tensors(tensors, canonical_json(hashed)):
        raise WeightsError(f"{origin}: damaged: tensors and metadata don't match the hash stored with them")


def _parse(texts: Mapping[str, str], origin: str) -> tuple[NetworkSpec, Metadata]:
    """Reads the spec and the metadata of a file. Raises ``WeightsError``."""
    missing, given = "", None
    try:
        given = {name: json.loads(texts[name]) for name in Metadata.model_fields}
        metadata = Metadata.model_validate(given)
        missing = _missing_plugins(metadata.provenance.get("plugins") or {}, Path(origin))
        given = json.loads(texts["spec"])
        spec = NetworkSpec.model_validate(given)
    except (ValueError, KeyError, RecursionError) as error:
        said = first_complaint(error, given) if isinstance(error, ValidationError) else error
        raise WeightsError(f"{origin}: its spec or metadata can't be read: {said}{missing}") from None
    _demand_match(spec, metadata, origin)
    return spec, metadata


def _missing_plugins(recorded: Mapping[str, str], origin: Path) -> str:
    """Returns how to load the plugins that a model was made with and that aren't loaded; nothing if all are.

    One of the same name and other content is warned of: the weights may mean something else in it.
    """
    loaded = {plugin.sha256: plugin.name for plugin in loaded_plugins()}
    missing = [name for name, sha256 in recorded.items() if sha256 not in loaded]
    for name in missing:
        if name in loaded.values():
            warnings.warn(f"{origin}: the plugin {name} has changed since this model was trained", stacklevel=4)
    if not missing:
        return ""
    kept = origin.parent / "plugins"
    paths = [str(kept / name) if (kept / name).is_file() else name for name in missing]
    return f"\nIt was made with plugins that aren't loaded; load_model(path, plugins={paths}) runs and loads them"


def _build(spec: NetworkSpec, metadata: Metadata, tensors: Mapping[str, Tensor], origin: str) -> TrainedNetwork:
    """Builds a network that isn't larger than the file it is for. Raises ``WeightsError``."""
    try:
        params = sum(tensor.numel() for tensor in tensors.values())
        # A study may raise its own limits; a file that is large is of a network that is.
        most = LIMITS._replace(params=params, blocks=max(LIMITS.blocks, len(tensors)))
        demand(spec, most._replace(layers=max(LIMITS.layers, 10 * len(tensors))))
    except InfeasibleSpec as error:
        raise WeightsError(f"{origin}: the spec inside doesn't fit the weights: {error}") from None
    with seeded(0):  # modules draw values as they are made, for nothing
        return TrainedNetwork(spec, metadata)


def _demand_match(spec: NetworkSpec, metadata: Metadata, origin: str) -> None:
    channels, classes = spec.in_channels, spec.head.num_classes
    if metadata.input[0] != channels:
        raise WeightsError(f"{origin}: an input of {metadata.input[0]} channels, but the network takes {channels}")
    if metadata.labels and len(metadata.labels) != classes:
        raise WeightsError(f"{origin}: {len(metadata.labels)} labels, but the network has {classes} classes")


def _texts(raw: bytes) -> dict[str, str]:
    """Returns the metadata in the header of safetensors bytes that have been parsed already."""
    length = int.from_bytes(raw[:8], "little")
    texts: dict[str, str] = json.loads(raw[8 : 8 + length]).get("__metadata__", {})
    return texts


def _read(path: Path) -> bytes:
    if path.is_dir():
        inside = next((path / name for name in USUAL if (path / name).is_file()), None)
        hint = f"the model is a file in it: {inside}" if inside else f"and no {' or '.join(USUAL)} is in it"
        raise WeightsError(f"{path}: that is a folder; {hint}")
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise WeightsError(f"{path}: can't be read: {reason}") from None


def _write(path: Path, raw: bytes) -> None:
    """Writes beside the name, then renames, so that no reader sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(raw)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
