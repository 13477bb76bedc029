"""What every spec of this project has in common: frozen, strict, and equal exactly when its canonical JSON is."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

Count = Annotated[StrictInt, Field(ge=1)]
"""A whole number of things, at least one. ``true`` and ``2.0`` are refused."""

Natural = Annotated[StrictInt, Field(ge=0)]
"""A whole number, zero allowed."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite real number; whole numbers are accepted, ``true`` and strings are not."""

Positive = Annotated[Number, Field(gt=0)]
"""A finite real number above zero."""

Fraction = Annotated[Number, Field(ge=0, le=1)]
"""A finite real number from 0 to 1, both ends allowed."""

Rate = Annotated[Number, Field(ge=0, lt=1)]
"""A probability of being dropped, below 1."""


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError(f"a kernel is of odd size (3, 5, 7), so that maps keep their size; {kernel} is even")
    return kernel


Kernel = Annotated[Count, AfterValidator(_odd), Field(json_schema_extra={"not": {"multipleOf": 2}})]
"""The side of a convolution's window: 3, 5, 7, or any other odd number."""

Flag = StrictBool
Text = StrictStr


class Spec(BaseModel):
    """A frozen record that forbids unknown fields and survives YAML and JSON unchanged.

    Two specs are equal, and hash equal, exactly when their canonical JSON is: ``4`` and ``4.0`` are one number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _name_the_allowed_fields(cls, given: Any) -> Any:
        """Refuses unknown fields as ``extra="forbid"`` does, but says which ones there are."""
        unknown = [key for key in given if key not in cls.model_fields] if isinstance(given, Mapping) else []
        if unknown:
            raise ValidationError.from_exception_data(
                cls.__name__,
                [
                    InitErrorDetails(
                        type=PydanticCustomError(
                            "unknown_field",
                            "unknown field '{key}': allowed are {allowed}{hint}",
                            {
                                "key": str(key),
                                "allowed": ", ".join(cls.model_fields),
                                "hint": did_you_mean(str(key), cls.model_fields),
                            },
                        ),
                        loc=(key,),
                        input=given[key],
                    )
                    for key in unknown
                ],
            )
        return given

    def plain(self) -> dict[str, Any]:
        """Returns the spec as plain data (mappings, lists, text, numbers), whole floats written as integers."""
        plain: dict[str, Any] = canonical(self.model_dump(mode="json"))
        return plain

    @cached_property
    def shared_plain(self) -> dict[str, Any]:
        """The plain data, made once: not to be changed."""
        return self.plain()

    @cached_property
    def canonical_json(self) -> str:
        """The one text that stands for this spec: keys sorted, no white space."""
        return canonical_json(self.plain())

    @cached_property
    def identity(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return identity(self.plain())

    def replace(self, **fields: Any) -> Self:
        """Returns a copy with fields replaced, validated again (unlike pydantic's ``model_copy(update=...)``)."""
        return type(self).model_validate({**self.plain(), **fields})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.canonical_json == other.canonical_json

    def __hash__(self) -> int:
        return self._own_hash

    @cached_property
    def _own_hash(self) -> int:
        """Equal specs have equal values, so the values' hash will do; where one can't be hashed, the text's."""
        try:
            return hash((type(self), *(getattr(self, field) for field in type(self).model_fields)))
        except TypeError:  # a field that is a mapping
            return hash(self.canonical_json)


def canonical(value: Any) -> Any:
    """Returns plain data with every whole float as an integer, so that equal numbers are written alike."""
    kind = type(value)  # the common ones first: a search asks for this some hundred times an arm
    if kind is str or kind is int or value is None:
        return value
    if kind is dict:
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:  # beyond, integers aren't exact
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return value


def canonical_json(value: Any) -> str:
    """Returns the JSON text of plain data with sorted keys and no white space."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def identity(value: Any) -> str:
    """Returns the first 12 hexadecimal digits of the SHA-256 of the canonical JSON of plain data."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:12]


def there_are(known: Iterable[str]) -> str:
    """Returns what there is to name, in words: "there are a, b", "there is only a", or "there is none"."""
    names = list(known)
    if len(names) < 2:
        return f"there is only {names[0]}" if names else "there is none"
    return f"there are {', '.join(names)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns ``"; did you mean 'x'?"`` for the nearest known name, or nothing if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)  # 'expansion' is no 'attention'
    return f"; did you mean '{near[0]}'?" if near else ""
