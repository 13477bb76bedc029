"""The lines of a record: how an entry is written as one, and what a file of them holds, past damage.

A line is one JSON object: a checksum (the first 16 hexadecimal digits of the SHA-256) of all that follows it, the
line's number, and the entry itself. So a line that was changed, taken out or put in twice is noticed. Lines of earlier
versions have no number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from search.run_directory import RunDirectoryError

_HEAD = '{"checksum":"'
_ENTRY = '"entry":'


class Scan(NamedTuple):
    """What a record's file holds.

    Attributes:
        entries: Of the lines that are whole, each once.
        damaged: The numbers of the lines that are not, from 1.
        missing: How many lines there were that are not there.
        repeated: The numbers of the lines that are there already.
        next: The number that the next line is to have.
        sound: Bytes before a last line that was never finished.
        size: Bytes of the file.
    """

    entries: list[dict[str, Any]]
    damaged: list[int]
    missing: int
    repeated: list[int]
    next: int
    sound: int
    size: int

    @property
    def lost(self) -> int:
        """How many lines there were whose content is not known."""
        return len(self.damaged) + self.missing

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, in words; nothing of one that is sound."""
        found = [f"line {number} of the record does not match its checksum" for number in self.damaged]
        found += [f"lines of the record are missing: {self.missing:,}"] if self.missing else []
        found += [f"line {number} of the record is there already" for number in self.repeated]
        return found


def scan(path: Path) -> Scan:
    """Reads a record line by line, past damage. Raises ``RunDirectoryError`` if it can't be read at all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RunDirectoryError(f"{path}: can't be read: {error.strerror}") from None
    entries, damaged, repeated, seen, sound, due = [], [], [], set[int](), 0, 1
    for position, (line, end) in enumerate(_lines(raw), 1):
        found = _content(line)
        if found is not None:
            number = found.get("line", due)
            if number in seen:
                repeated.append(position)
            else:
                entries.append(found["entry"])
                seen.add(number)
                due = max(due, number + 1)
        elif end < len(raw) or not _unfinished(line):
            damaged.append(position)
            due += 1
        else:
            break
        sound = end
    missing = max(0, due - 1 - len(entries) - len(damaged))
    return Scan(entries, damaged, missing, repeated, due, sound, len(raw))


def record_of(entries: Iterable[dict[str, Any]]) -> bytes:
    """Returns the text of a record that holds these entries."""
    return b"".join(line_of(entry, number) for number, entry in enumerate(entries, 1))


def line_of(entry: dict[str, Any], number: int) -> bytes:
    """Returns the line of the record that holds an entry; the first line's number is 1."""
    content = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = f'"line":{number},{_ENTRY}{content}'
    return f'{_HEAD}{_checksum(text)}",{text}}}\n'.encode()


def _lines(raw: bytes) -> Iterator[tuple[bytes, int]]:
    start = 0
    while start < len(raw):
        newline = raw.find(b"\n", start)
        end = len(raw) if newline < 0 else newline + 1
        yield raw[start:end], end
        start = end


def _content(line: bytes) -> dict[str, Any] | None:
    """Returns a line's number, where it has one, and entry; None if the line is damaged or unfinished."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    start = len(_HEAD) + 16
    if not text.endswith("}\n") or not text.startswith(_HEAD) or text[start : start + 2] != '",':
        return None
    content = text[start + 2 : -2]
    if _checksum(content.removeprefix(_ENTRY)) != text[len(_HEAD) : start]:
        return None
    found = json.loads(f"{{{content}}}")
    return found if isinstance(found.get("entry"), dict) else None


def _unfinished(line: bytes) -> bool:
    """Whether the last line can be the beginning of one of ours; a power cut may leave zeros in place of the rest."""
    begun, head = line.rstrip(b"\0"), _HEAD.encode()
    return begun.startswith(head) or head.startswith(begun)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
