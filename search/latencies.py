"""latency.csv of a run directory: how long its arms take to answer, whoever measured it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from search.providers import provider_of
from search.run_directory import write_atomically

FILE = "latency.csv"
SAME = ("arm", "runtime", "precision", "batch", "threads", "provider")
"""Two rows that share these are of one measurement, of which the later is kept."""


class Latency(NamedTuple):
    """A row of latency.csv; times are milliseconds a batch.

    Attributes:
        low, high: A 95% interval of the median, from the order of the runs (by the binomial distribution).
        bytes: Of the graph's file, which holds the weights, in ONNX Runtime; of the parameters alone in torch.
        loaded: The load of the machine meanwhile, in processes a core; above 1 the figures are too high.
        provider: What ONNX Runtime ran it on; empty for torch.
    """

    arm: str
    label: str
    runtime: str
    precision: str
    batch: int
    threads: int
    median: float
    low: float
    high: float
    runs: int
    macs: int
    params: int
    bytes: int
    loaded: float
    machine: str
    date: str
    provider: str


def write_latencies(directory: Path, rows: Iterable[Latency], *, replace: bool = True) -> Path:
    """Adds rows to a run's latency.csv; returns where that is.

    Args:
        replace: Whether they take the place of rows of the same arm and circumstances; else those stay.
    """
    path = directory / FILE
    new = {_key(row._asdict()): row._asdict() for row in rows}
    old = {_key(row): row for row in _read(path)}
    found = {**old, **new} if replace else {**new, **old}
    text = io.StringIO()
    writer = csv.DictWriter(text, Latency._fields, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(found.values())
    if found and (not path.is_file() or path.read_text(encoding="utf-8") != text.getvalue()):
        write_atomically(path, text.getvalue())
    return path


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in SAME)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{**row, "provider": row.get("provider", provider_of(row["runtime"]))} for row in csv.DictReader(file)]
