"""Short ways to write a network: a preset's name, or a generator's numbers; either with some parts replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import SerializerFunctionWrapHandler, ValidationError, model_serializer
from pydantic_core import InitErrorDetails, PydanticCustomError

from blocks.base import Count, Rate, Spec
from blocks.block import BLOCKS
from blocks.errors import UnknownPreset
from blocks.generators import GENERATORS, GeneratorSpec
from blocks.parts.head import HEADS, HeadSpec
from blocks.parts.stem import STEMS, StemSpec


class GeneratedNetworkSpec(Spec):
    """A network that a generator writes, kept as it was written, so that the generator's numbers can be varied.

    Attributes:
        generate: The generator and its numbers.
        in_channels: As in a network that is written out; likewise the others, which replace what the generator gives.
    """

    generate: Annotated[GeneratorSpec, GENERATORS]
    in_channels: Count | None = None
    stem: Annotated[StemSpec, STEMS] | None = None
    head: Annotated[HeadSpec, HEADS] | None = None
    drop_path: Rate | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}


def expanded(given: Any) -> Any:
    """Returns a network's plain data with ``preset`` or ``generate`` replaced by what they stand for.

    The keys beside them replace what they give. A mapping that names no kind, or the same, changes only those fields:
    ``{preset: densenet121, head: {num_classes: 10}}`` keeps the head's norm. Anything else is returned as it is.

    Raises:
        ValidationError: If the preset or generator is not known, or there is no such network.
    """
    if not isinstance(given, Mapping) or not {"preset", "generate"} & given.keys():
        return given
    if {"preset", "generate"} <= given.keys():
        raise _error(given, "generate", "a network comes from a preset or from a generator, not from both")
    if "preset" in given:
        return _replaced(_preset(given), given)
    if "stages" in given:
        raise _error(given, "stages", "the generator writes the stages: write them or generate them, not both")
    return _replaced(_generated(given), given)


def _replaced(network: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    replaced = dict(network)
    for key, value in given.items():
        own = replaced.get(key)
        if isinstance(own, Mapping) and isinstance(value, Mapping) and value.get("kind") in (None, own.get("kind")):
            value = {**own, **value}
        if key not in ("preset", "generate"):
            replaced[key] = value
    return replaced


def _preset(given: Mapping[str, Any]) -> dict[str, Any]:
    from blocks.presets import preset

    name = given["preset"]
    if not isinstance(name, str):
        raise _error(given, "preset", f"expected a preset's name, not {name!r}")
    try:
        return preset(name).plain()
    except UnknownPreset as error:
        raise _error(given, "preset", str(error)) from None


def _generated(given: Mapping[str, Any]) -> dict[str, Any]:
    generator = GeneratedNetworkSpec.model_validate(given).generate
    try:
        network = generator.network()
    except ValueError as error:
        raise _error(given, "generate", str(error)) from None
    if generator.block:
        _check_block(given, network["stages"][0]["block"])
    return network


def _check_block(given: Mapping[str, Any], block: Mapping[str, Any]) -> None:
    """Says at ``generate.block`` what is wrong there, not at stages that the user didn't write."""
    try:
        BLOCKS.parse(block)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        where = ".".join(map(str, ("block", *found["loc"])))
        raise _error(given, "generate", f"{where}: {found['msg']}") from None
    except PydanticCustomError as error:
        raise _error(given, "generate", f"block: {error}") from None


def _error(given: Mapping[str, Any], key: str, message: str) -> ValidationError:
    kind = PydanticCustomError("value_error", "{said}", {"said": message})
    return ValidationError.from_exception_data(
        "network", [InitErrorDetails(type=kind, loc=(key,), input=given.get(key))]
    )
