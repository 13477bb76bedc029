"""What sets two networks apart, and what it costs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from blocks.cost import Cost, Shape
from blocks.show.columns import aligned, counted, sized
from blocks.show.rows import cost_of, stage_name
from blocks.spec import NetworkSpec
from blocks.walk import trace

ABSENT = "-"
MANY = 10
"""From so many times on, a change is written as a factor."""


def difference(one: NetworkSpec, other: NetworkSpec, shape: Shape, batch_size: int) -> str:
    """Returns the fields in which two networks differ, what that costs in total, and stage by stage.

    Raises:
        InfeasibleSpec: If one of them can't be at this input.
    """
    fields = joined(differing_fields(written_out(one.plain()), written_out(other.plain())))
    if not fields:
        return "They are the same network."
    paragraphs = [aligned([("field", "before", "after"), *fields], left=3, shrink=[0, 1, 2])]
    if one.structure == other.structure:
        return "\n\n".join([*paragraphs, "Whatever their fields say, they build the same network."])
    return "\n\n".join([*paragraphs, _totals(one, other, shape, batch_size), _by_stage(one, other, shape)])


def differing_fields(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields the path of each value that differs in two pieces of plain data, and the two values as text."""
    if isinstance(one, list) and isinstance(other, list):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            below = f"{path}.{key}" if path else str(key)
            yield from differing_fields(one.get(key, ABSENT), other.get(key, ABSENT), below)
    elif one != other:
        yield path, _text(one), _text(other)


def written_out(network: dict[str, Any]) -> dict[str, Any]:
    """Returns a network's plain data with a field of its own for each that an override sets: ``overrides[-1].norm``."""
    stages = []
    for stage in network["stages"]:
        fields = {key: value for key, value in stage.items() if key != "overrides"}
        for override in stage["overrides"]:
            for at in override["at"]:
                fields |= {f"overrides[{at}].{key}": _part(value) for key, value in override["set"].items()}
        stages.append(fields)
    return {**network, "stages": stages}


def _part(value: Any) -> Any:
    """Writes a part with all that is said of it: ``eca(kernel=5)``."""
    if not isinstance(value, dict) or "kind" not in value:
        return value
    rest = ", ".join(f"{key}={_text(_part(item))}" for key, item in value.items() if key != "kind")
    return f"{value['kind']}({rest})" if rest else value["kind"]


def joined(fields: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Returns the same differences, those that several stages share as one: ``stages.0-3.block.kind``."""
    stages: dict[tuple[str, str, str], list[int]] = {}
    for path, one, other in fields:
        match = re.fullmatch(r"stages\.(\d+)(.*)", path)
        numbers = stages.setdefault((match[2] if match else f"/{path}", one, other), [])
        numbers += [int(match[1])] if match else []
    return [
        (f"stages.{_ranges(numbers)}{rest}" if numbers else rest.removeprefix("/"), one, other)
        for (rest, one, other), numbers in stages.items()
    ]


def _ranges(numbers: list[int]) -> str:
    """Writes ascending whole numbers: ``0-2,4``."""
    runs = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        first, *_, last = [number for _, number in run] * 2
        runs.append(f"{first}-{last}" if last > first else f"{first}")
    return ",".join(runs)


def _totals(one: NetworkSpec, other: NetworkSpec, shape: Shape, batch_size: int) -> str:
    before, after = one.cost(shape), other.cost(shape)
    rows = [("cost", "before", "after", "change", "")]
    for name, unit in (("macs", "MACs"), ("params", "parameters"), ("activations", "activations")):
        a, b = getattr(before, name), getattr(after, name)
        rows.append((unit, f"{a:,}", f"{b:,}", f"{b - a:+,}", _percent(a, b)))
    a, b = (spec.training_memory(shape, batch_size).total for spec in (one, other))
    size, sign = sized(min(a, b) // 10), "+" if b >= a else ""
    memory = (size.write(a), size.write(b), sign + size.write(b - a), _percent(a, b))
    return aligned([*rows, (f"training {size.sign}, batch {batch_size}", *memory)], left=1)


def _by_stage(one: NetworkSpec, other: NetworkSpec, shape: Shape) -> str:
    before, after = _stage_costs(one, shape), _stage_costs(other, shape)
    names = [name for name in {**before, **after} if name != "head"]
    macs = counted(max(cost.macs for cost in (*before.values(), *after.values())))
    params = counted(max(cost.params for cost in (*before.values(), *after.values())), 3)
    rows = [("", macs.head("MACs"), "after", "change", params.head("params"), "after", "change")]
    for name in [*names, "head"]:
        a, b = before.get(name, Cost()), after.get(name, Cost())
        left = (macs.write(a.macs), macs.write(b.macs), _percent(a.macs, b.macs))
        rows.append((name, *left, params.write(a.params), params.write(b.params), _percent(a.params, b.params)))
    return aligned(rows, left=1)


def _stage_costs(spec: NetworkSpec, shape: Shape) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for part in trace(spec, shape):
        name = stage_name(part)
        costs[name] = costs.get(name, Cost()) + cost_of(part)
    return costs


def _percent(before: int, after: int) -> str:
    if before == after:
        return "same"
    if not before:
        return "new"
    return f"{(after - before) / before:+.1%}" if after < MANY * before else f"x{after / before:,.0f}"


def _text(value: Any) -> str:
    """Writes one value; a stage or another mapping that the other side hasn't got in a few words."""
    if isinstance(value, dict):
        if {"block", "depth", "width"} <= value.keys():
            return f"{value['depth']} x {_text(value['block'])}, width {value['width']}"
        return str(value["kind"]) if "kind" in value else json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)
