"""A learning rate: a number, or a rule that gives one for a batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from blocks.base import Positive, Spec, canonical


class ScaledRate(Spec):
    """The linear scaling rule (Goyal et al., arXiv:1706.02677, section 2.1): ``base`` for every ``per`` images of a
    step, all parts of the batch counted."""

    base: Positive
    """The learning rate of a batch of ``per`` images."""
    per: Positive = 256.0
    """Images."""
    resolved: Positive | None = None
    """What comes of it for the recipe's batch size: worked out, whatever is written here."""


_NUMBER = TypeAdapter(Positive)


def _rate(given: Any) -> float | ScaledRate:
    if isinstance(given, (Mapping, ScaledRate)):
        return ScaledRate.model_validate(given)
    return float(_NUMBER.validate_python(given))


def _plain(rate: float | ScaledRate) -> Any:
    return rate.plain() if isinstance(rate, ScaledRate) else canonical(rate)


LearningRate = Annotated[
    float | ScaledRate,
    PlainValidator(_rate, json_schema_input_type=Positive | ScaledRate),
    PlainSerializer(_plain),
]
"""A number above zero, or ``{base: 0.1, per: 256}``."""


def resolved(optimizer: Any, batch_size: int) -> Any:
    """Returns an optimiser as it is written, with what the rules of its rates (and those of the optimisers that it
    holds) give for a batch size."""
    if isinstance(optimizer, Spec):
        optimizer = optimizer.plain()
    if not isinstance(optimizer, Mapping):
        return optimizer
    found = {name: resolved(value, batch_size) if name == "rest" else value for name, value in optimizer.items()}
    if isinstance(found.get("lr"), (Mapping, ScaledRate)):
        try:
            rate = ScaledRate.model_validate({**dict(found["lr"]), "resolved": None})
        except ValidationError:
            return found  # which the optimiser says of its own field, in its place
        found["lr"] = {**rate.plain(), "resolved": canonical(rate.base * batch_size / rate.per)}
    return found


def content(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Returns an optimiser's plain data with each rule replaced by what it gives: equal rates are one recipe."""
    found = {name: content(value) if name == "rest" else value for name, value in optimizer.items()}
    if isinstance(found.get("lr"), dict):
        found["lr"] = found["lr"]["resolved"]
    return found
