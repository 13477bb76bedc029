"""Pydantic's complaints in the user's terms: places that the user wrote, one complaint a place, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from blocks.base import did_you_mean

if TYPE_CHECKING:
    from blocks.source import Location

OWN_WORDS = {"unknown_field", "unknown_kind", "missing_kind", "value_error"}
"""The types of complaint that are worded in this project."""

_UNION_MEMBER = re.compile(r".*[\[-].*|[A-Z].*|int|float|str|bool|none|bytes|date|datetime|any|list|dict|tuple")
"""What pydantic puts into a location for the member of a union: ``constrained-int``, ``tuple[int, ...]``, a class."""


class Complaint(NamedTuple):
    """One thing that is wrong.

    Attributes:
        location: In the user's data.
        message: What is wrong, and what would be right.
        kind: Pydantic's type of error.
        of_union: Whether another member of a union may have got further.
    """

    location: Location
    message: str
    kind: str
    of_union: bool


def complaints(error: ValidationError, data: Any, prefix: Location = ()) -> list[Complaint]:
    """Returns what is wrong with the part of the data at ``prefix``: at least one complaint, at most one a place."""
    below = data
    for part in prefix:
        below = _child(below, part)
    found: dict[Location, Complaint] = {}
    for details in error.errors(include_url=False):
        location = _written(details["loc"], below, details["type"])
        of_union = len(location) < len(details["loc"])
        place = prefix + location
        earlier = found.get(place)
        if earlier is None:
            found[place] = Complaint(place, _message(details), details["type"], of_union)
        elif of_union and details["type"] == "literal_error" != earlier.kind:
            found[place] = earlier._replace(message=_either(earlier.message, _message(details)))
    return [complaint for complaint in found.values() if not _said_better(complaint, found)]


def first_complaint(error: ValidationError, data: Any) -> str:
    """Returns the first thing that is wrong with data that no user wrote: its place and what, in a sentence."""
    from blocks.source import dotted

    location, message, *_ = complaints(error, data)[0]
    return f"{dotted(location)}: {message}" if location else message


def _written(location: Location, data: Any, kind: str) -> Location:
    """Returns a location without the members of unions, of which the user's data know nothing."""
    kept: list[str | int] = []
    for index, part in enumerate(location):
        below = _child(data, part)
        lacking = kind == "missing" and index == len(location) - 1
        if below is None and not lacking and not _has(data, part) and _is_member(part):
            continue
        kept.append(part)
        data = below
    return tuple(kept)


def _said_better(complaint: Complaint, found: Mapping[Location, Complaint]) -> bool:
    """Whether a complaint about something inside says what is really wrong here."""
    depth = len(complaint.location)
    inside = any(len(other) > depth and other[:depth] == complaint.location for other in found)
    return inside and (complaint.of_union or complaint.kind == "too_short")


def _message(details: Any) -> str:
    kind, message = details["type"], details["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return "this field is required and missing"
    if kind in OWN_WORDS:
        return str(message)
    hint = ""
    if kind == "literal_error" and isinstance(details["input"], str):
        hint = did_you_mean(details["input"], re.findall(r"'([^']*)'", details["ctx"]["expected"]))
    return f"{message[0].lower()}{message[1:]}, not {_excerpt(details['input'])}{hint}"


def _either(first: str, second: str) -> str:
    """Joins what two members of a union expect: a boolean, say, or a word. Both end in what was found instead."""
    expected, found = first.split(", not ")[0], second.removeprefix("input should be ")
    return f"{expected} or {found}" if second != found else first


def _is_member(part: str | int) -> bool:
    return isinstance(part, str) and _UNION_MEMBER.fullmatch(part) is not None


def _has(data: Any, part: str | int) -> bool:
    return part in data if isinstance(data, Mapping) else isinstance(data, list) and part in range(len(data))


def _child(data: Any, part: str | int) -> Any:
    return data[part] if _has(data, part) else None


def _excerpt(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
