"""The blocks of a network, those of a stage that are alike and follow one another as one."""

from __future__ import annotations

from typing import NamedTuple

from blocks.cost import Cost, Shape
from blocks.receptive import Reach, receptive_fields, through
from blocks.spec import NetworkSpec
from blocks.walk import Part


class Row(NamedTuple):
    """A block, or several of a stage that are alike.

    Attributes:
        name: Of the module: ``stages.2.0``; of several: ``stages.2.1-5``.
        field: What one position of the output reads of the image, in pixels; of several, of the last's.
        cost: Of all of them.
    """

    name: str
    kind: str
    output: Shape
    field: Reach
    cost: Cost


def block_rows(spec: NetworkSpec, shape: Shape, *, every: bool = False) -> list[Row]:
    """Returns the rows from stem to head; with ``every``, each block makes its own.

    Raises:
        InfeasibleSpec: If there can be no such network at this input, or every one of more than 10,000 blocks is asked
            for.
    """
    if not every:
        return [_row(part, given) for part, given in runs(spec, shape)]
    spec.cost_by_block(shape)  # refuses so many
    return [
        Row(name, part.kind, part.each.output, through(part.layer, given, number), cost_of(part._replace(repeats=1)))
        for part, given in receptive_fields(spec, shape)
        for number, name in enumerate(part.names(), 1)
    ]


def runs(spec: NetworkSpec, shape: Shape) -> list[tuple[Part, Reach]]:
    """Returns the parts of a network, each with what its input reads; those that differ in their memory only are one.

    Raises:
        InfeasibleSpec: If there can be no such network at this input.
    """
    found: list[tuple[Part, Reach]] = []
    for part, given in receptive_fields(spec, shape):
        last, before = found[-1] if found else (None, given)
        if last is not None and _alike(last, part):
            found[-1] = last._replace(repeats=last.repeats + part.repeats), before
        else:
            found.append((part, given))
    return found


def cost_of(part: Part) -> Cost:
    """Returns what a part costs, with all its repeats."""
    return Cost(part.each.macs, part.each.params, part.each.activations) * part.repeats


def stage_name(part: Part) -> str:
    """Returns ``stem``, ``stages.0``, ..., ``head``."""
    return str(part.stage) if part.first is None else f"stages.{part.stage}"


def run_name(part: Part) -> str:
    """Returns ``stem``, ``stages.2.0``, ``stages.2.1-5``, ..., ``head``."""
    if part.first is None:
        return stage_name(part)
    last = f"-{part.first + part.repeats - 1}" if part.repeats > 1 else ""
    return f"{stage_name(part)}.{part.first}{last}"


def _alike(one: Part, other: Part) -> bool:
    same = (one.stage, one.kind, one.each.output) == (other.stage, other.kind, other.each.output)
    return same and repr(one.layer) == repr(other.layer)


def _row(part: Part, given: Reach) -> Row:
    return Row(run_name(part), part.kind, part.each.output, through(part.layer, given, part.repeats), cost_of(part))
