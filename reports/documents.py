"""arms.json, read: what tables need of every arm at once, and its long documents only where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from reports.files import RunError

SCHEMA = 1


class Timed(msgspec.Struct, frozen=True):
    """How long an arm was measured to take, as far as the tables want it."""

    runtime: str
    bytes: float
    threads: int = 1
    provider: str = ""

    @property
    def engine(self) -> str:
        """What ran it: times and sizes of two engines don't compare."""
        name = "torch" if self.runtime == "torch" else "ONNX Runtime"
        return f"{name} ({self.provider})" if self.provider else name


class Entry(msgspec.Struct, frozen=True):
    """An arm as arms.json has it; documents are kept as text, as thousands are written and few are shown.

    An arm that can't be built has no cost, no channels and no documents; older versions wrote no ``tuned``.
    """

    arm: str
    label: str
    levels: dict[str, Any]
    status: str
    reason: str
    match: str
    match_of: str | None
    twin: str | None
    unmatched: str | None
    tuned: str | None = None
    tuned_of: str | None = None
    multiplier: float | None = None
    gap: float | None = None
    inner_channels: float | None = None
    out_channels: float | None = None
    cost: dict[str, float] | None = None
    latency: dict[str, Timed] | None = None
    network: Raw = Raw()
    train: Raw = Raw()
    data: Raw = Raw()
    diff: Raw = Raw()
    blocks: Raw = Raw()

    def text(self, name: str) -> bytes:
        """Returns a document as it is written; empty where there is none."""
        return bytes(getattr(self, name))

    def document(self, name: str) -> Any:
        """Returns a document, or None where there is none."""
        text = self.text(name)
        return msgspec.json.decode(text) if text else None


class Arms(msgspec.Struct, frozen=True):
    """arms.json as a whole; what is optional was not written by every version."""

    schema: int
    baseline: str
    design: dict[str, Any]
    factors: list[dict[str, Any]]
    arms: list[Entry]
    selection: dict[str, Any]
    derived: list[dict[str, Any]] | None = None
    tuning: dict[str, Any] | None = None
    fidelity: dict[str, Any] | None = None
    additions: list[dict[str, Any]] | None = None


class _Version(msgspec.Struct):
    schema: Any = None


def read_arms(path: Path) -> Arms:
    """Reads arms.json.

    Raises:
        RunError: If it is not JSON, of another version, or lacks a field.
    """
    text = path.read_bytes()
    try:
        return _checked(path, text)
    except msgspec.ValidationError as error:
        raise RunError(f"{path}: {error}") from error
    except (msgspec.DecodeError, RecursionError):
        return _mended(path, text)


def _checked(path: Path, text: bytes) -> Arms:
    try:
        arms = msgspec.json.decode(text, type=Arms)
        schema: Any = arms.schema
    except msgspec.ValidationError:
        schema = msgspec.json.decode(text, type=_Version).schema
        if schema == SCHEMA:
            raise
    if schema != SCHEMA:
        raise RunError(f"{path}: schema {schema!r}; this version reads schema {SCHEMA}")
    return arms


def _mended(path: Path, text: bytes) -> Arms:
    """Reads what Python writes and JSON does not know: half a surrogate pair, NaN."""
    try:
        plain: Mapping[str, Any] = json.loads(text, parse_constant=lambda _: None)
        return _checked(path, json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace"))
    except msgspec.ValidationError as error:
        raise RunError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not valid JSON: {error}") from error
