"""Paths into a study: ``network.stages[*].block.expansion``.

``[*]`` is one shared choice for all items, ``[each]`` an independent choice for every item, ``[0]`` one item.
Sharing is where tools differ silently, so one of the three is always written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from blocks.base import did_you_mean, there_are
from blocks.source import Location, dotted

Path = tuple[str | int, ...]
"""Keys and indices; the texts ``*`` and ``each`` stand for every item of a list."""

_PART = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\*|each|[0-9]{1,6})\]")


class PathError(ValueError):
    """A path that leads nowhere. The message says where it ends and what there is."""


def parse(text: str) -> Path:
    """Returns the parts of a path. Raises ``PathError`` if the text is not one."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None or (position == 0) == text[position : position + 1].startswith((".", "[")):
            raise PathError(f"'{text}' is not a path such as network.stages[*].width (see '{text[position:]}')")
        name, index = found.groups()
        parts.append(name or (int(index) if index.isdigit() else index))
        position = found.end()
    if not parts:
        raise PathError("an empty path")
    return tuple(parts)


def each(path: Path, data: Any) -> list[Path]:
    """Returns the path once for every item that its ``[each]`` names; the path itself if it has none."""
    if "each" not in path:
        return [path]
    at = path.index("each")
    items = next((value for _, value in _walk(data, path[:at])), None)
    if not isinstance(items, list):
        raise PathError(f"{dotted(path[:at])} is not a list, so [each] has nothing to name")
    return [way for index in range(len(items)) for way in each((*path[:at], index, *path[at + 1 :]), data)]


def values(path: Path, data: Any) -> list[tuple[Location, Any]]:
    """Returns every location that a path names, with the value there (None if the last key is not there yet)."""
    return list(_walk(data, path))


def is_there(path: Path, data: Any) -> bool:
    """Whether every location that a path names is there, the last key included."""
    *above, last = path
    try:
        holders = [value for _, value in _walk(data, tuple(above))]
    except PathError:
        return False
    return all(
        isinstance(last, int) or last in {"*", "each"} or (isinstance(holder, dict) and last in holder)
        for holder in holders
    )


def patched(data: Any, changes: Iterator[tuple[Path, Any]] | list[tuple[Path, Any]]) -> Any:
    """Returns a copy of plain data with every named location set; a mapping is replaced whole, never merged.

    A bare kind on the way (``block: basic``) is the mapping that it is shorthand for.
    """
    result = _copied(data)
    for path, value in changes:
        _write_out_kinds(result, path)
        for location, _ in _walk(result, path):
            holder = result
            for part in location[:-1]:
                holder = holder[part]
            holder[location[-1]] = _copied(value)
    return result


def differences(first: Any, second: Any, location: Location = ()) -> Iterator[tuple[Location, Any, Any]]:
    """Yields the locations where two plain data differ, with both values (None where there is none)."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            yield from differences(first.get(key), second.get(key), (*location, key))
    elif isinstance(first, list) and isinstance(second, list):
        for index in range(max(len(first), len(second))):
            one = first[index] if index < len(first) else None
            two = second[index] if index < len(second) else None
            yield from differences(one, two, (*location, index))
    elif first != second or isinstance(first, bool) != isinstance(second, bool):
        yield location, first, second


def _copied(data: Any) -> Any:
    """Returns a copy of plain data; ``copy.deepcopy``, which looks for loops in it, takes five times as long."""
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_copied(item) for item in data]
    return data


def _write_out_kinds(data: Any, path: Path) -> None:
    """Turns bare kinds above a path's last key into mappings, in place."""
    for length in range(1, len(path)):
        if isinstance(path[length], int) or path[length] in {"*", "each"}:
            continue
        for location, value in list(_walk(data, path[:length])):
            if isinstance(value, str):
                holder = data
                for part in location[:-1]:
                    holder = holder[part]
                holder[location[-1]] = {"kind": value}


def _walk(data: Any, path: Path, done: Location = ()) -> Iterator[tuple[Location, Any]]:
    if not path:
        yield done, data
        return
    head, rest = path[0], path[1:]
    if head == "*":
        if not isinstance(data, list):
            raise PathError(f"{dotted(done)} is not a list, so [*] has nothing to name")
        for index, item in enumerate(data):
            yield from _walk(item, rest, (*done, index))
    elif isinstance(head, int):
        if not isinstance(data, list) or head >= len(data):
            there = f"has {len(data)} items" if isinstance(data, list) else "is not a list"
            raise PathError(f"{dotted(done)} {there}, so there is no [{head}]")
        yield from _walk(data[head], rest, (*done, head))
    elif not isinstance(data, dict):
        what = "a list: write [*], [each] or an index" if isinstance(data, list) else "a single value"
        raise PathError(f"{dotted(done)} is {what}, so it has no '{head}'")
    elif rest and head not in data:
        raise PathError(f"{dotted(done) or 'the study'} has no '{head}': {there_are(data)}{did_you_mean(head, data)}")
    else:
        yield from _walk(data.get(head), rest, (*done, head))
