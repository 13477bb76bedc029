"""Reading YAML strictly, and saying exactly where it is wrong.

YAML 1.2's core rules, and fewer surprises: ``1e-3`` is a number, ``no`` and ``on`` are text; ``012``, ``1:30``,
``.nan``, tags, merge keys, duplicate keys and several documents are refused. Size, depth and the expansion of aliases
are bounded before anything is built, so that a hostile file costs no more than a second. No torch is needed for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML, MappingNode, Node, ScalarNode
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from blocks.complaints import complaints

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 20_000

NOT_ALLOWED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Control characters, and halves of a pair that no encoding of text has a place for."""

MODELINE = "# yaml-language-server:"
"""How a line begins that tells editors of a file's schema."""

Location = tuple[str | int, ...]


class InputError(Exception):
    """The user's input is wrong (exit code 2). The message says where, what is wrong, and what would be right."""


@dataclass(frozen=True)
class Mark:
    """A place in the user's input: a file (or an option of the command line), line and column from 1."""

    origin: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}:{self.column}" if self.line else self.origin

    def shown(self) -> str:
        """The offending line with a caret under the column; nothing for an option of the command line."""
        if not self.line:
            return ""
        start = max(0, self.column - 70)  # a line may be a megabyte long
        gutter = f"  {self.line} | "
        caret = " " * (len(gutter) - 2 + self.column - 1 - start)
        return f"\n{gutter}{self.text[start : start + 100]}\n{caret}  ^"


@dataclass(frozen=True)
class Source:
    """Plain data read from YAML, with the place of every key and value.

    Attributes:
        data: Mappings, lists, text, whole numbers, finite floats, booleans and None.
        comment: The first line of the comment that opens the file, without its ``#``; a line that names a schema for
            editors is passed over.
    """

    origin: str
    data: Any
    comment: str = ""
    keys: dict[Location, Mark] = field(default_factory=dict, repr=False)
    values: dict[Location, Mark] = field(default_factory=dict, repr=False)

    def error(self, location: Location, message: str, *, at_key: bool = False) -> InputError:
        """Returns an error at a location, or at the nearest enclosing place that the user wrote."""
        mark, known = Mark(self.origin), location
        marks = {**self.values, **self.keys} if at_key else {**self.keys, **self.values}
        while known and known not in marks:
            known = known[:-1]
        mark = marks.get(known, mark)
        key = f"{dotted(location)}: " if location else ""
        return InputError(f"{mark}: {key}{message}{mark.shown()}")

    def explain(self, error: ValidationError, prefix: Location = ()) -> InputError:
        """Returns the first few of pydantic's complaints as one error with places, names and what is allowed."""
        found = complaints(error, self.data, prefix)
        shown = [self.error(place, message, at_key=kind == "unknown_field") for place, message, kind, _ in found[:3]]
        more = f"\n(and {len(found) - 3} more)" if len(found) > 3 else ""
        return InputError("\n".join(map(str, shown)) + more)

    def with_value(self, location: Location, value: Any, origin: str) -> Source:
        """Returns a source in which one value is another, given by ``origin`` (an option of the command line)."""

        def put(data: Any, rest: Location) -> Any:
            if not rest:
                return value
            head = rest[0]
            if isinstance(data, list) and isinstance(head, int) and 0 <= head < len(data):
                return [put(item, rest[1:]) if index == head else item for index, item in enumerate(data)]
            if isinstance(head, str) and isinstance(data, str):  # a bare name is shorthand for a mapping
                data = {"preset" if location[: -len(rest)] == ("network",) else "kind": data}
            if isinstance(head, str) and (data is None or isinstance(data, dict)):
                return {**(data or {}), head: put((data or {}).get(head), rest[1:])}
            raise InputError(f"{origin}: {dotted(location)}: there is no such place in {self.origin}")

        below = len(location)
        keys, values = (
            {place: mark for place, mark in marks.items() if place[:below] != location}
            for marks in (self.keys, self.values)
        )
        return replace(self, data=put(self.data, location), keys=keys, values={**values, location: Mark(origin)})


def read_yaml(path: str | Path) -> Source:
    """Reads one YAML document whose top is a mapping.

    Raises:
        InputError: If the file can't be read, or isn't what this module's first lines allow.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: can't be read: {reason}") from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes, which no study is")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: byte {error.start} is not UTF-8 text") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, origin: str) -> Source:
    """Parses one YAML document whose top is a mapping; ``origin`` names it in errors. Raises ``InputError``."""
    lines = text.splitlines() or [""]
    try:
        _bound(text, origin)
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise _syntax_error(error, origin, lines) from None
    except YAMLError as error:
        raise InputError(f"{origin}: invalid YAML: {' '.join(str(error).split())}") from None
    if node is None:
        raise InputError(f"{origin}: the file is empty")
    reader = _Reader(origin, lines)
    if not isinstance(node, MappingNode):
        raise reader.error(node, "the top must be a mapping of fields, such as 'name: my_study'")
    data = reader.read(node, ())
    return Source(origin, data, _comment(lines), reader.keys, reader.values)


def _comment(lines: list[str]) -> str:
    opening = lines[0] if not lines[0].startswith(MODELINE) else "".join(lines[1:2])
    return opening.lstrip("# ").strip() if opening.startswith("#") else ""


def parse_value(text: str, origin: str) -> Any:
    """Parses one YAML value, as given on the command line. Raises ``InputError``."""
    return parse_yaml("value: " + text, origin).data["value"]


def dotted(location: Location) -> str:
    """Writes a location as users do: ``network.stages[0].width``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


class _Reader:
    """Turns YAML nodes into plain data and remembers where each came from."""

    def __init__(self, origin: str, lines: list[str]) -> None:
        self.origin, self.lines = origin, lines
        self.keys: dict[Location, Mark] = {}
        self.values: dict[Location, Mark] = {}
        self.nodes = 0
        self.open: list[Node] = []

    def mark(self, node: Node) -> Mark:
        line, column = node.start_mark.line, node.start_mark.column
        return Mark(self.origin, line + 1, column + 1, self.lines[line] if line < len(self.lines) else "")

    def error(self, node: Node, message: str) -> InputError:
        mark = self.mark(node)
        return InputError(f"{mark}: {message}{mark.shown()}")

    def read(self, node: Node, location: Location) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(self.open) > MAX_DEPTH or any(node is parent for parent in self.open):
            raise self.error(node, "aliases expand to more than any study needs")
        self.values[location] = self.mark(node)
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        self.open.append(node)
        if isinstance(node, MappingNode):
            data: Any = self.mapping(node, location)
        else:
            data = [self.read(item, (*location, index)) for index, item in enumerate(node.value)]
        self.open.pop()
        return data

    def mapping(self, node: MappingNode, location: Location) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self.error(key_node, "a key must be text")
            if str(key_node.tag).endswith(":merge"):
                raise self.error(key_node, "merge keys (<<) are not supported; write the fields out")
            self.demand_plain(key_node)
            key = key_node.value
            if key in data:
                raise self.error(key_node, f"the key '{key}' is given twice")
            self.keys[*location, key] = self.mark(key_node)
            data[key] = self.read(value_node, (*location, key))
        return data

    def demand_plain(self, node: ScalarNode) -> None:
        """Refuses what no file may hold, and an escape sequence may write all the same."""
        if (bad := NOT_ALLOWED.search(node.value)) is not None:
            raise self.error(node, f"the character U+{ord(bad.group()):04X} is not allowed")

    def scalar(self, node: ScalarNode) -> Any:
        text = node.value
        self.demand_plain(node)
        if node.style is not None:  # quoted, or a block of text
            return text
        if text in {"", "~", "null", "Null", "NULL"}:
            return None
        if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            return text.lower() == "true"
        if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):
            if len(text) > 20:
                raise self.error(node, "a whole number of more than 20 digits")
            return int(text)
        if re.fullmatch(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
            return self._float(node)
        if re.fullmatch(r"[-+]?[0-9]+(:[0-5]?[0-9])+|[-+]?[0-9][0-9_]*_[0-9_]*|0[xob][0-9a-fA-F]+", text):
            raise self.error(node, f"{text} reads as different numbers in different tools; write it out, or quote it")
        if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
            raise self.error(node, f"{text} is not a finite number")
        return text

    def _float(self, node: ScalarNode) -> float:
        text = node.value
        if re.fullmatch(r"[-+]?0[0-9]+", text):
            raise self.error(node, f"{text} is octal to some tools; write it without the leading zero, or quote it")
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise self.error(node, f"{text} is too large")
        return value


def _bound(text: str, origin: str) -> None:
    """Refuses what would be slow or deep before the document is composed."""
    if (bad := NOT_ALLOWED.search(text)) is not None:
        line = text.count("\n", 0, bad.start()) + 1
        raise InputError(f"{origin}:{line}: the character U+{ord(bad.group()):04X} is not allowed")
    depth = nodes = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        nodes += not isinstance(event, (CollectionEndEvent, AliasEvent))
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        place = f"{origin}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            what = f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else f"more than {MAX_NODES:,} values"
            raise InputError(f"{place}: {what}, which no study is")
        if isinstance(event, (ScalarEvent, CollectionStartEvent)) and event.tag is not None:
            raise InputError(f"{place}: the tag {event.tag} is refused: a study is plain data")


def _syntax_error(error: MarkedYAMLError, origin: str, lines: list[str]) -> InputError:
    place = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part)
    if place is None:
        return InputError(f"{origin}: invalid YAML: {problem}")
    line = min(place.line, len(lines) - 1)
    mark = Mark(origin, line + 1, place.column + 1, lines[line])
    return InputError(f"{mark}: invalid YAML: {problem}{mark.shown()}")
