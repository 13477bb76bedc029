"""Costs in words, whatever they are counted in."""

from __future__ import annotations

from reports.comparison import COST_NAMES
from reports.numbers import SPACE, milliseconds, quantity, trimmed
from reports.table import LATENCIES


def amount(value: float, cost: str) -> str:
    """Formats what an arm has of a cost, with its unit: 60.3 k MACs, 12.1 k parameters, 3.41 ms for 64 images."""
    if cost in LATENCIES:
        return f"{milliseconds(value)}{SPACE}ms{_images(cost)}"
    return quantity(value, COST_NAMES[cost])


def limit(value: float, cost: str) -> str:
    """Formats a round number of a cost like :func:`amount`, without zeros after the point: 60 k MACs, 0.5 ms."""
    return trimmed(amount(value, cost))


def bare(value: float, cost: str) -> str:
    """Formats what an arm has of a cost, without its unit: 60.3 k, 3.41."""
    return milliseconds(value) if cost in LATENCIES else quantity(value)


def heading(cost: str) -> str:
    """Returns what a column of a cost is called: MACs, Parameters, ms for 64 images."""
    name = f"ms{_images(cost)}" if cost in LATENCIES else COST_NAMES[cost]
    return name if cost in LATENCIES else name[:1].upper() + name[1:]


def _images(cost: str) -> str:
    number = cost.rpartition("_")[2]
    return f" for {number}{SPACE}{'image' if number == '1' else 'images'}"
