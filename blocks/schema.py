"""JSON Schemas of YAML files, for editors: made from the specs, the registries and their docstrings.

A schema is a first guess that an editor makes while one types. What is really allowed, and why not, is said when a
file is read: a schema knows nothing of what the parts of a network mean to one another.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from blocks.base import Spec
from blocks.documentation import field_texts, summary
from blocks.expand import GeneratedNetworkSpec
from blocks.presets import preset_names
from blocks.registry import Registry
from blocks.spec import NetworkSpec

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Describer(GenerateJsonSchema):
    """Pydantic's schemas, with the registries' kinds and with what docstrings say."""

    schema_dialect = DRAFT

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Describes a spec."""
        made, spec = super().model_schema(schema), schema["cls"]
        texts = field_texts(spec)
        made |= {"title": spec.__name__, "description": summary(spec)}
        for name, field in made.get("properties", {}).items():
            if name in texts:
                field["description"] = texts[name]
        kind = spec.model_fields.get("kind")
        if kind is not None:
            made |= {"title": kind.default, "required": ["kind", *made.get("required", [])]}
            made["properties"]["kind"] = {"const": kind.default}
        return made

    def function_plain_schema(self, schema: Any) -> JsonSchemaValue:
        """Describes what a registry takes: a bare kind, or a mapping with one."""
        registry: Registry[Any] | None = schema.get("metadata", {}).get("registry")
        if registry is None:
            return super().function_plain_schema(schema)
        noun = registry.noun.replace(" ", "_")
        name, reference = self.get_cache_defs_ref_schema(f"registry.{noun}:0")  # type: ignore[arg-type]
        if name in self.definitions:  # described already, or being so: an optimizer may hold another
            return reference
        self.definitions[name] = {}
        kinds = registry.kinds()
        bare = [kind for kind, spec in kinds.items() if not _required(spec)]
        ways = [{"enum": bare}] if bare else []
        ways += [self.generate_inner(_referred(spec)) for spec in kinds.values()]
        self.definitions[name] = {"title": registry.noun, "anyOf": ways}
        return reference

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leaves out titles that only repeat the field's name."""
        return False

    def encode_default(self, dft: Any) -> Any:
        """Writes a default as a user would: by its kind alone, where that says it all."""
        if isinstance(dft, Spec):
            plain = dft.plain()
            bare = "kind" in plain and not _required(type(dft)) and type(dft)() == dft
            return plain["kind"] if bare else plain
        return super().encode_default(dft)


def network_schema() -> dict[str, Any]:
    """Returns the schema of a network's file."""
    title = "A network: stem, stages and head; a preset; or a generator's numbers."
    written = NetworkSpec.model_json_schema(schema_generator=Describer)
    generated = GeneratedNetworkSpec.model_json_schema(schema_generator=Describer)
    definitions = {**written.pop("$defs"), **generated.pop("$defs")}
    definitions |= {"NetworkSpec": written, "GeneratedNetworkSpec": generated}
    return whole(title, {"$ref": "#/$defs/network"}, definitions)


def whole(title: str, schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns a whole schema; among its definitions, ``network`` is whatever may stand for a network."""
    written = definitions["NetworkSpec"]
    written["properties"]["stages"]["minItems"] = 1
    definitions["Override"]["properties"]["set"] |= _any_fields(definitions)
    preset = {"title": "preset", "description": "A published network's name.", "enum": list(preset_names())}
    definitions["preset"] = preset
    definitions["PresetNetwork"] = {
        "title": "PresetNetwork",
        "description": "A published network; what stands beside `preset` replaces what it gives.",
        "type": "object",
        "properties": {"preset": {"$ref": "#/$defs/preset"}, **written["properties"]},
        "required": ["preset"],
        "additionalProperties": False,
    }
    ways = ("NetworkSpec", "PresetNetwork", "GeneratedNetworkSpec")
    definitions["network"] = {"title": "network", "anyOf": [{"$ref": f"#/$defs/{way}"} for way in ways]}
    return {"$schema": DRAFT, "title": title, **schema, "$defs": dict(sorted(definitions.items()))}


def _any_fields(definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns what may be set of a block, whichever: the fields of all of them."""
    ways: dict[str, list[dict[str, Any]]] = {}
    for block in definitions["block"]["anyOf"]:
        if "$ref" in block:
            for name, field in definitions[block["$ref"].rpartition("/")[2]]["properties"].items():
                bare = {key: value for key, value in field.items() if key not in ("default", "description")}
                if bare not in ways.setdefault(name, []):
                    ways[name].append(bare)
    fields = {name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in sorted(ways.items())}
    fields["kind"] = {"enum": [way["const"] for way in ways["kind"]]}
    return {"properties": fields, "additionalProperties": False}


def text(schema: dict[str, Any]) -> str:
    """Returns a schema as it is shipped."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _required(spec: type[Spec]) -> bool:
    return any(field.is_required() for field in spec.model_fields.values())


def _referred(spec: type[Spec]) -> Any:
    """Returns a spec's core schema with a name, so that it is described once, however many fields take it."""
    return {**spec.__pydantic_core_schema__, "ref": f"{spec.__module__}.{spec.__qualname__}:{id(spec)}"}
