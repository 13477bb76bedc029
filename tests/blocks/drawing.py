"""Random networks of everything that is registered: every field of every family and part is drawn from its type."""

from __future__ import annotations

import random
from typing import Annotated, Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from blocks import NetworkSpec
from blocks.base import Spec
from blocks.block import BLOCKS
from blocks.parts.head import HEADS
from blocks.parts.stem import STEMS
from blocks.registry import Registry

USUAL = 0.6
"""How often a field keeps its default: networks in which all is unusual are hardly ever feasible."""

NUMBERS = (0.1, 0.25, 0.5, 0.9, 1, 1.5, 2, 4)
WIDTHS = (1, 2, 4, 6, 8, 8, 8, 12, 16)
CHOICES: dict[str, tuple[Any, ...]] = {
    "width": WIDTHS,
    "kernel": (1, 3, 5, 7),
    "groups": (1, 2, 3, 4),
    "group_width": (1, 2, 4, 8),
    "channels_per_group": (1, 2, 4),
    "width_per_group": (16, 32, 64),
    "heads": (1, 2, 4),
    "head_width": (2, 4, 8),
    "multiple_of": (1, 4, 8),
    "num_classes": (1, 2, 5),
    "stride": (1, 2),
    "patch": (2, 3, 4),
    "hidden": ([], [4], [8, 4]),
    "inner": (None, [4, 6]),
    "momentum": (0.01, 0.1, 1),
    "slope": (0.1, 0.2),
}
"""What fields of these names are drawn from, where the type alone allows too much."""


def random_fields(draw: random.Random, spec: type[Spec], usual: float = USUAL) -> dict[str, Any]:
    """Returns fields of a spec as plain data; those left out have their default."""
    fields: dict[str, Any] = {}
    for name, field in spec.model_fields.items():
        if name == "kind":
            fields[name] = field.default
        elif field.is_required() or name in ("width", "num_classes") or draw.random() > usual:
            fields[name] = _value(draw, name, field)
    return fields


def _value(draw: random.Random, name: str, field: FieldInfo) -> Any:
    for metadata in field.metadata:
        if isinstance(metadata, Registry):
            return random_kind(draw, metadata)
    if name in CHOICES:
        return draw.choice(CHOICES[name])
    schema = TypeAdapter(Annotated[field.annotation, field]).json_schema()
    options = schema.get("anyOf", [schema])
    return _of_schema(draw, name, draw.choice(options))


def _of_schema(draw: random.Random, name: str, schema: dict[str, Any]) -> Any:
    if "enum" in schema or "const" in schema:
        return draw.choice(schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "null":
            return None
        case "boolean":
            return draw.random() < 0.5
        case "integer":
            return draw.choice((1, 2, 3))
        case "number":
            return draw.choice([number for number in NUMBERS if _within(number, schema)])
    raise NotImplementedError(f"tests/blocks/drawing.py can't draw {name} ({schema}): add its name to CHOICES")


def _within(number: float, schema: dict[str, Any]) -> bool:
    return (
        schema.get("minimum", 0) <= number <= schema.get("maximum", 4)
        and number > schema.get("exclusiveMinimum", -1)
        and number < schema.get("exclusiveMaximum", 5)
    )


def random_kind(draw: random.Random, registry: Registry[Any], usual: float = USUAL) -> dict[str, Any]:
    """Returns a random kind of a registry with random fields, as plain data."""
    kinds = [spec for kind, spec in registry.kinds().items() if not kind.startswith("test_")]
    return random_fields(draw, draw.choice(kinds), usual)


def random_network(draw: random.Random) -> dict[str, Any]:
    """Returns a network as plain data, often infeasible."""
    stages = [_random_stage(draw) for _ in range(draw.randint(1, 3))]
    network = {"in_channels": draw.choice([1, 3]), "stages": stages}
    network["stem"] = random_kind(draw, STEMS) if draw.random() < 0.5 else {"kind": "conv3x3", "width": 8}
    network["head"] = random_kind(draw, HEADS) if draw.random() < 0.5 else {"kind": "linear", "num_classes": 3}
    if draw.random() < 0.3:
        network["drop_path"] = 0.5
    return network


def _random_stage(draw: random.Random) -> dict[str, Any]:
    stage = {
        "block": random_kind(draw, BLOCKS, usual=0.8),
        "depth": draw.randint(1, 3),
        "width": draw.choice(WIDTHS),
        "stride": draw.choice([1, 1, 2, 2, 3]),
    }
    if draw.random() < 0.2:
        stage["overrides"] = [{"at": [draw.choice([0, -1, 2])], "set": random_kind(draw, BLOCKS)}]
    return stage


def random_spec(draw: random.Random) -> NetworkSpec:
    """Returns a well-formed network; draws again where fields that are each valid contradict one another."""
    while True:
        try:
            return NetworkSpec.model_validate(random_network(draw))
        except ValueError:
            continue
