"""The files of a run directory, read and checked: JSON, YAML and tables of trials."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

NUMBER = (int, float)
ENVIRONMENT: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("hardware.gpus", "sessions", "data.classes", "seeds.explore", "seeds.confirm", "varied", "warnings"), (list,)
    ),
    **dict.fromkeys(("data.train", "data.validation", "data.test", "planned.trials", "wall_seconds"), NUMBER),
    **dict.fromkeys(("hardware.cores", "workers", "threads"), NUMBER),
    **dict.fromkeys(("hardware.cpu", "hardware.memory_gib", "data.kind", "data.checksum"), (object,)),
    **dict.fromkeys(("command", "engine", "commit"), (object,)),
    "versions": (dict,),
}


class RunError(ValueError):
    """A folder is not a run directory that this version can read; the message says what is missing or wrong."""


def read_environment(path: Path) -> dict[str, Any]:
    """Reads the environment, and checks all that the page takes from it, so that nothing is missed half-way."""
    environment = read_json(path)
    for field, kind in ENVIRONMENT.items():
        value: Any = environment
        for part in field.split("."):
            if not isinstance(value, dict) or part not in value:
                raise RunError(f"{path}: {field} is missing")
            value = value[part]
        if not isinstance(value, kind):
            raise RunError(f"{path}: {field} is of the wrong type: {value!r}")
    return environment


def read_json(path: Path) -> dict[str, Any]:
    """Reads a file that holds one JSON object."""
    try:
        text = path.read_bytes()
        data = json.loads(text)
        if b"\\ud" in text.lower():  # half a surrogate pair cannot be written again
            data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: expected an object")
    return data


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads a file that holds one YAML mapping."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError, RecursionError) as error:
        raise RunError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: expected a mapping")
    return data


def read_csv(
    path: Path, texts: tuple[str, ...], numbers: tuple[str, ...], optional: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Reads the fixed columns of a CSV file; the factors' levels are taken from arms.json, where they are exact.

    Columns of text that are ``optional`` are read where they are, and empty where an older version wrote none.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (UnicodeError, csv.Error) as error:
        raise RunError(f"{path}: not a table of trials: {error}") from error
    missing = [column for column in (*texts, *numbers) if column not in header]
    if missing:
        raise RunError(f"{path}: the column {', '.join(missing)} is missing")
    there = [column for column in optional if column in header]
    kinds: dict[str, type] = {**dict.fromkeys([*texts, *there], object), **dict.fromkeys(numbers, float)}
    try:
        frame = pd.read_csv(
            path,
            usecols=[*texts, *numbers, *there],
            dtype=kinds,
            keep_default_na=False,
            na_values={column: ["", "nan"] for column in numbers},
        )
    except ValueError as error:
        raise RunError(f"{path}: not a table of trials: {error}") from error
    if "reason" in frame:
        # The exporter defuses what a spreadsheet would run as a formula; here it is text again.
        frame["reason"] = frame["reason"].str.replace(r"^'(?=[=+\-@])", "", regex=True)
    for column in optional:
        if column not in there:
            frame[column] = ""
    return frame
