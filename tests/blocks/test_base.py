"""Specs: frozen, strict, and equal exactly when their canonical JSON is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from blocks.base import Count, Fraction, Number, Spec, canonical, canonical_json, did_you_mean, identity


class Sample(Spec):
    """A spec with one field of each kind."""

    width: Count
    scale: Number = 1.0
    share: Fraction = 0.5


@pytest.mark.parametrize("width", [True, 1.5, 2.0, 0, -1, "8", None])
def test_a_count_is_a_whole_number_from_one_on(width: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"width": width})


@pytest.mark.parametrize("scale", [True, "1", float("nan"), float("inf")])
def test_a_number_is_finite_and_no_boolean(scale: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"width": 1, "scale": scale})


def test_whole_floats_and_integers_are_one_number() -> None:
    first, second = Sample(width=4, scale=2), Sample(width=4, scale=2.0)
    assert first == second
    assert hash(first) == hash(second)
    assert first.identity == second.identity
    assert first.canonical_json == '{"scale":2,"share":0.5,"width":4}'


def test_different_specs_differ() -> None:
    assert Sample(width=4) != Sample(width=5)
    assert Sample(width=4).identity != Sample(width=5).identity


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Sample(width=4).width = 5  # type: ignore[misc]


def test_an_unknown_field_names_the_allowed_ones_and_the_nearest() -> None:
    with pytest.raises(ValidationError, match="allowed are width, scale, share; did you mean 'width'"):
        Sample.model_validate({"widht": 4})


def test_replace_validates() -> None:
    assert Sample(width=4).replace(width=5) == Sample(width=5)
    with pytest.raises(ValidationError):
        Sample(width=4).replace(width=0)


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical_json({"b": [1.0, 2.5], "a": None}) == canonical_json({"a": None, "b": [1, 2.5]})
    assert identity({"b": 1, "a": 2}) == identity({"a": 2, "b": 1.0})


def test_canonical_keeps_booleans_apart_from_numbers() -> None:
    assert canonical([True, 1.0, False]) == [True, 1, False]
    assert canonical_json(True) != canonical_json(1)


def test_not_a_number_is_refused_in_json() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"a": float("nan")})


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("botleneck", "bottleneck"),
        ("epocs", "epochs"),
        ("sedes", "seeds"),
        ("widht", "width"),
        ("expanson", "expansion"),
        ("digitz", "digits"),
        ("sgdd", "sgd"),
    ],
)
def test_a_typo_is_recognised(typo: str, meant: str) -> None:
    known = ["attention", "bottleneck", "depth", "digits", "epochs", "expansion", "seeds", "sgd", "width"]
    assert did_you_mean(typo, known) == f"; did you mean '{meant}'?"


def test_another_word_is_no_typo() -> None:
    assert did_you_mean("expansion", ["kind", "norm", "activation", "attention", "shortcut"]) == ""


@pytest.mark.parametrize(("name", "hint"), [("botleneck", "; did you mean 'bottleneck'?"), ("zzz", "")])
def test_did_you_mean(name: str, hint: str) -> None:
    assert did_you_mean(name, ["basic", "bottleneck"]) == hint
