"""The JSON Schemas that are shipped: in step with the code, good for what is right, and against what is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from blocks import preset
from blocks.block import BLOCKS
from blocks.registry import REGISTRIES
from blocks.schema import text
from blocks.source import Source, parse_yaml, read_yaml
from search.schema import MAKERS, SHIPPED, main
from search.study import StudySpec, resolve_study
from tests.blocks.plugins import forgotten, write
from tests.search.command import SEARCH, STUDY
from tests.search.studies import study

SCHEMAS = {name: Draft202012Validator(json.loads(path.read_text())) for name, path in SHIPPED.items()}
BASE = parse_yaml(STUDY, "study.yaml").data


def complaints(data: Any, schema: str = "study") -> list[str]:
    return [error.message for error in SCHEMAS[schema].iter_errors(data)]


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_what_the_code_says(name: str) -> None:
    said = "run python -m search.schema --write, and commit what it writes"
    assert SHIPPED[name].read_text() == text(MAKERS[name]()), said


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_a_schema_all_of_whose_references_lead_somewhere(name: str) -> None:
    schema = SCHEMAS[name].schema
    Draft202012Validator.check_schema(schema)
    used = {reference for part in _parts(schema) if isinstance(reference := part.get("$ref"), str)}
    assert used <= {f"#/$defs/{key}" for key in schema["$defs"]}


STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_passes(path: Path) -> None:
    assert complaints(read_yaml(path).data) == []


@pytest.mark.parametrize("given", [STUDY, SEARCH], ids=["list", "search"])
def test_the_examples_pass_as_they_are_written_and_as_they_are_resolved(given: str) -> None:
    data = parse_yaml(given, "study.yaml").data
    assert complaints(data) == []
    assert complaints(study(base=given).spec.plain()) == []


@pytest.mark.parametrize("name", ["resnet18", "regnet_y_400mf", "densenet121", "convnext_tiny"])
def test_every_network_file_that_is_written_passes(name: str) -> None:
    assert complaints(preset(name).plain(), "network") == []
    assert complaints({"preset": name, "head": {"kind": "linear", "num_classes": 3}}, "network") == []


@pytest.mark.parametrize("kind", ["resnet", "wide_resnet"])
def test_generated_networks_pass(kind: str) -> None:
    generate = {"kind": kind, "depth": 10, "block": {"attention": "se"}}
    assert complaints({"generate": generate}, "network") == []
    assert complaints({**BASE, "network": {"generate": generate, "head": "linear"}}) == []


def test_every_kind_is_known_to_it() -> None:
    known = {part["const"] for part in _parts(SCHEMAS["study"].schema) if isinstance(part.get("const"), str)}
    for registry in REGISTRIES:
        assert set(registry.kinds()) <= known, registry.noun


@pytest.mark.parametrize("name", StudySpec.model_fields)
def test_every_section_is_described_or_of_a_kind_that_is(name: str) -> None:
    section = SCHEMAS["study"].schema["properties"][name]
    assert section.get("description") or "$ref" in section


def changed(*location: str | int, to: Any) -> dict[str, Any]:
    """Returns the example study with one value another; ``...`` takes it away."""
    data = copy.deepcopy(BASE)
    holder: Any = data
    for part in location[:-1]:
        holder = holder[part]
    if to is ...:
        del holder[location[-1]]
    else:
        holder[location[-1]] = to
    return data


@pytest.mark.parametrize(
    "data",
    [
        changed("name", to=...),
        changed("name", to="../x"),
        changed("trian", to={}),
        changed("train", "epochs", to="2"),
        changed("train", "epochs", to=0),
        changed("train", "epocs", to=2),
        changed("train", "optimizer", to="sgdd"),
        changed("train", "optimizer", "lr", to=-1),
        changed("train", "optimizer", "momentun", to=0.9),
        changed("network", to="resnet_18"),
        changed("network", "stages", to=...),
        changed("network", "stages", 0, "block", "kind", to="botleneck"),
        changed("network", "stages", 0, "block", "expanson", to=4),
        changed("network", "stages", 0, "block", "expansion", to="4"),
        changed("network", "stages", to=[]),
        changed("network", "stages", 0, "overrides", to=[{"at": [0], "set": {"kernal": 5}}]),
        changed("network", "stages", 0, "overrides", to=[{"at": [0], "set": {"kernel": 4}}]),
        changed("network", "stages", 0, "overrides", to=[{"at": [0], "set": {"kind": "botleneck"}}]),
        changed("network", "stages", 0, "overrides", to=[{"at": [0], "set": {}}]),
        changed("network", "stages", 0, "block", "kernel", to=4),
        changed("network", "stages", 0, "block", "attention", to={"kind": "eca", "kernel": 4}),
        changed("network", "stages", 0, "block", "norm", to={"kind": "group", "groups": 2, "channels_per_group": 4}),
        changed("factors", "expansion", "range", to={"low": 1, "high": 6}),
        changed("factors", "expansion", "same_as", to="width"),
        changed("network", "stages", 0, "width", to=8.5),
        changed("network", "stages", 0, "width", to=...),
        changed("network", to={"generate": {"kind": "resnet"}}),
        changed("network", to={"generate": {"kind": "resnet", "depth": 18}, "stages": []}),
        changed("data", to="image_folder"),  # which needs a root
        changed("data", to="cifar"),
        changed("design", to="one_at_time"),
        changed("design", "seeds", to=[]),
        changed("design", "match", to="flops"),
        changed("factors", "expansion", "level", to=[1]),
        changed("plugins", to="my_block.py"),
    ],
)
def test_typical_mistakes_fail(data: dict[str, Any]) -> None:
    assert complaints(data) != []


@pytest.mark.parametrize(
    "data",
    [
        changed("network", "stages", 0, "overrides", to=[{"at": [0], "set": {"kernel": 5, "attention": "eca"}}]),
        changed("network", "stages", 0, "overrides", to=[{"at": [-1], "set": {"kind": "resnext", "groups": 4}}]),
        changed("network", "stages", 0, "block", "norm", to={"kind": "group", "groups": 2, "channels_per_group": None}),
        changed("factors", "expansion", to={"path": "train.epochs", "levels": None, "range": {"low": 1, "high": 6}}),
    ],
)
def test_what_the_stricter_rules_leave_alone(data: dict[str, Any]) -> None:
    assert complaints(data) == []
    resolve_study(Source("study.yaml", {**data, "factors": {}, "design": "train"}))


def test_shorthands_pass() -> None:
    short = {**BASE, "network": "resnet20", "data": "digits", "design": "one_at_a_time", "plugins": ["my_block.py"]}
    assert complaints(short) == []
    assert complaints({key: value for key, value in short.items() if key != "design"}) == []
    assert complaints(changed("design", "match", to="macs")) == []


def test_a_plugins_kinds_are_added_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    with forgotten():
        assert main(["network", "--plugin", str(path)]) == 0
    schema = json.loads(capsys.readouterr().out)
    network = {"stages": [{"block": "test_layered", "width": 4}]}
    assert list(Draft202012Validator(schema).iter_errors(network)) == []
    assert complaints(network, "network") != []
    assert "test_layered" not in BLOCKS.kinds()
    assert main(["--plugin", str(tmp_path / "nowhere.py")]) == 2
    assert "nowhere.py: the plugin can't be read" in capsys.readouterr().err


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for below in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(below)
