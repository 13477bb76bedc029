"""What the command is given to show: a preset, a network's file, or a study's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from blocks.cost import Shape
from blocks.plugins import plugins_of
from blocks.presets import preset, preset_input
from blocks.source import Source, read_yaml
from blocks.spec import NetworkSpec

OF_A_STUDY = (
    "The network of a study, as its file has it: where that says nothing of channels,\n"
    "classes and the image's size, these are defaults, and the study's data decide."
)


class Given(NamedTuple):
    """A network, C H W of the images that it is usually given, and what is to be known of where it comes from."""

    spec: NetworkSpec
    shape: Shape
    note: str = ""


def read_given(name: str) -> Given:
    """Returns a preset, or the network of a YAML file; of a study, the baseline, its plugins loaded.

    Raises:
        InputError: If it is a file that is no network.
        UnknownPreset: If it is neither a file nor a preset.
    """
    if not (name.endswith((".yaml", ".yml")) or "/" in name or Path(name).is_file()):
        return Given(preset(name), preset_input(name))
    source = read_yaml(name)
    if {"name", "network"} <= source.data.keys():
        spec = _of_study(source)
        return Given(spec, _usual(spec), OF_A_STUDY)
    spec = NetworkSpec.from_yaml(name)
    return Given(spec, _usual(spec))


def _of_study(source: Source) -> NetworkSpec:
    plugins_of(source)
    network = source.data["network"]
    if isinstance(network, str):
        network = {"preset": network}
    if not isinstance(network, Mapping):
        raise source.error(("network",), "expected a preset's name, or a mapping with stages, preset or generate")
    try:
        return NetworkSpec.model_validate(network)
    except ValidationError as error:
        raise source.explain(error, ("network",)) from None


def _usual(spec: NetworkSpec) -> Shape:
    return spec.in_channels, spec.stem.usual_size, spec.stem.usual_size
