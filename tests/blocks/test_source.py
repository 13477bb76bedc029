"""Strict YAML: what is read, what is refused, and that every refusal says where."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from blocks import NetworkSpec
from blocks.base import Count
from blocks.source import InputError, dotted, parse_value, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("20e6", 20e6),
        (".5", 0.5),
        ("-3", -3),
        ("0", 0),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("'012'", "012"),
        ("2026-01-01", "2026-01-01"),
        ("[1, a, {b: 2}]", [1, "a", {"b": 2}]),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = parse_value(text, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 012", "octal"),
        ("a: 1:30", "different numbers"),
        ("a: 1_000", "different numbers"),
        ("a: 0x10", "different numbers"),
        ("a: .nan", "not a finite number"),
        ("a: -.inf", "not a finite number"),
        ("a: 1e999", "too large"),
        ("a: " + "9" * 5000, "more than 20 digits"),
        ("a: 1\na: 2", "given twice"),
        ("", "empty"),
        ("# only a comment", "empty"),
        ("- 1", "the top must be a mapping"),
        ("text", "the top must be a mapping"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: !!python/object/apply:os.system [ls]", "tag"),
        ("a: !!str 5", "tag"),
        ("a: !custom x", "tag"),
        ("<<: {a: 1}", "merge keys"),
        ("a: &x [*x]", "aliases"),
        ("a: *nothing", "undefined alias"),
        ("a: [1, 2", "invalid YAML"),
        ("? [a]\n: 1", "a key must be text"),
        ("a: \x00", "character U.0000"),
        ('a: "\\0"', "character U.0000"),
        ('"\\ud800": 1', "character U.D800"),
        ("a: " + "[" * 60, "nested deeper"),
        ("a: [" + "1," * 30_000 + "]", "more than 20,000 values"),
    ],
)
def test_refusals(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        parse_yaml(text, "file.yaml")
    assert str(caught.value).startswith("file.yaml")


def test_exploding_aliases_are_refused_quickly() -> None:
    levels = "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.process_time()
    with pytest.raises(InputError, match="aliases expand"):
        parse_yaml("a: &a [x,x,x,x,x,x,x,x,x]\n" + levels, "bomb.yaml")
    assert time.process_time() - started < 2  # the promise is a bound, not a speed; other work on the machine aside


def test_an_error_points_at_the_line_and_the_column() -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml("a: 1\nbb: {c: 012}\n", "file.yaml")
    first, line, caret = str(caught.value).splitlines()
    assert first.startswith("file.yaml:2:9: ")
    assert line == "  2 | bb: {c: 012}"
    assert caret.index("^") == line.index("012")


def test_pydantic_errors_are_explained_in_place() -> None:
    source = parse_yaml("stages:\n  - {block: bottleneck, width: 8}\n  - {block: basci, width: 8}\n", "net.yaml")
    with pytest.raises(ValidationError) as caught:
        NetworkSpec.model_validate(source.data)
    message = str(source.explain(caught.value))
    assert message.startswith("net.yaml:3:13: stages[1].block: unknown block 'basci'")
    assert "did you mean 'basic'" in message


def test_an_unknown_field_is_pointed_at_by_its_key() -> None:
    source = parse_yaml("stages: [{block: basic, width: 8, widht: 3}]\n", "net.yaml")
    with pytest.raises(ValidationError) as caught:
        NetworkSpec.model_validate(source.data)
    message = str(source.explain(caught.value))
    assert message.startswith("net.yaml:1:35: stages[0].widht: unknown field 'widht'")


def test_a_missing_field_points_at_what_lacks_it() -> None:
    source = parse_yaml("stages:\n  - {block: basic}\n", "net.yaml")
    with pytest.raises(ValidationError) as caught:
        NetworkSpec.model_validate(source.data)
    assert str(source.explain(caught.value)).startswith("net.yaml:2:5: stages[0].width: this field is required")


class Named(BaseModel):
    name: Literal["sgd", "adamw"]


class Design(BaseModel):
    seeds: Count | Annotated[tuple[Count, ...], Field(min_length=2)] = 1
    groups: Annotated[tuple[Annotated[tuple[Count, ...], Field(min_length=1)], ...], Field(min_length=2)] = ((1,), (1,))
    choice: Named | dict[str, Count] = {}
    either: Literal["grid", "random"] | Count = "grid"


class Study(BaseModel):
    design: Design


def complaint(text: str, model: type[BaseModel] = Study) -> str:
    source = parse_yaml(text, "s.yaml")
    with pytest.raises(ValidationError) as caught:
        model.model_validate(source.data)
    return str(source.explain(caught.value))


@pytest.mark.parametrize(
    ("design", "heads"),
    [
        ("{seeds: 0}", ["design.seeds: input should be greater than or equal to 1, not 0"]),
        ("{seeds: [1, 0]}", ["design.seeds[1]: input should be greater than or equal to 1, not 0"]),
        ("{seeds: [x]}", ['design.seeds[0]: input should be a valid integer, not "x"']),
        ("{seeds: {int: 1}}", ['design.seeds: input should be a valid integer, not {"int": 1}']),
        ("{choice: {int: 0}}", ["design.choice.name: this", "design.choice.int: input should be greater"]),
        ("{choice: 1}", ["design.choice: input should be a valid dictionary or instance of Named, not 1"]),
        ("{groups: [[1, x]]}", ['design.groups[0][1]: input should be a valid integer, not "x"']),
        ("{either: gird}", ["design.either: input should be 'grid' or 'random', not \"gird\"; did you mean 'grid'?"]),
        ("{seeds: 0, either: 0}", ["design.seeds: input", "design.either: input should be 'grid' or 'random', not 0"]),
    ],
)
def test_unions_are_explained_by_the_users_own_places(design: str, heads: list[str]) -> None:
    message = complaint(f"design: {design}\n")
    found = [line for line in message.splitlines() if line.startswith("s.yaml:")]
    assert len(found) == len(heads), message
    for line, head in zip(found, heads, strict=True):
        assert line.split(": ", 1)[1].startswith(head)


def test_a_misspelt_choice_is_recognised() -> None:
    said = "name: input should be 'sgd' or 'adamw', not \"sgdd\"; did you mean 'sgd'?"
    assert complaint("name: sgdd\n", Named).startswith(f"s.yaml:1:7: {said}")
    assert "did you mean" not in complaint("name: [sgd]\n", Named)


def test_a_list_that_is_too_short_says_so_when_nothing_in_it_is_wrong() -> None:
    assert "design.groups: tuple should have at least 2 items" in complaint("design: {groups: [[1]]}\n")


def test_complaints_about_an_override_and_under_a_prefix() -> None:
    source = parse_yaml("study: {design: {}}\n", "s.yaml").with_value(("study", "design", "seeds"), [1, 0], "--set x")
    with pytest.raises(ValidationError) as caught:
        Study.model_validate(source.data["study"])
    message = str(source.explain(caught.value, ("study",)))
    assert message == "--set x: study.design.seeds[1]: input should be greater than or equal to 1, not 0"


def test_an_override_is_named_as_the_origin() -> None:
    source = parse_yaml("a: {b: 1}\n", "x.yaml").with_value(("a", "b"), "new", "--set a.b=new")
    assert source.data == {"a": {"b": "new"}}
    assert str(source.error(("a", "b"), "wrong")) == "--set a.b=new: a.b: wrong"


def test_what_an_override_replaced_is_no_longer_pointed_at() -> None:
    source = parse_yaml("a: {b: {c: 1}}\n", "x.yaml").with_value(("a", "b"), {"c": 0}, "--set a.b={c: 0}")
    for at_key in (False, True):
        assert str(source.error(("a", "b", "c"), "wrong", at_key=at_key)) == "--set a.b={c: 0}: a.b.c: wrong"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a: 1\nb: \xff\n")
    (tmp_path / "large").write_bytes(b"# " + b"x" * 1_000_001)
    for name, complaint in [("none", "No such file"), ("latin", ":2: byte 8 is not UTF-8"), ("large", "larger than")]:
        with pytest.raises(InputError, match=complaint):
            read_yaml(tmp_path / name)
    with pytest.raises(InputError, match="can't be read"):
        read_yaml(tmp_path)
    with pytest.raises(InputError, match="can't be read"):
        read_yaml("nul\x00byte")


def test_the_opening_comment_is_kept() -> None:
    assert parse_yaml("# Does it help?\na: 1\n", "x").comment == "Does it help?"
    schema = "# yaml-language-server: $schema=study.schema.json\n"
    assert parse_yaml(f"{schema}# Does it help?\na: 1\n", "x").comment == "Does it help?"
    assert parse_yaml(f"{schema}a: 1\n", "x").comment == ""
    assert parse_yaml("a: 1\n# Does it help?\n", "x").comment == ""


def test_dotted() -> None:
    assert dotted(("network", "stages", 0, "width")) == "network.stages[0].width"


@given(st.text(max_size=200))
def test_no_text_does_worse_than_an_input_error(text: str) -> None:
    try:
        data = parse_yaml(text, "fuzz").data
    except InputError:
        return
    assert isinstance(data, dict)
