"""A network as a table, block by block, and what sets two networks apart.

python -m blocks.show resnet50
python -m blocks.show winner.yaml --input 3x32x32 --diff resnet20
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from blocks.cost import Cost, Shape
from blocks.errors import InfeasibleSpec, UnknownPreset
from blocks.layers import show_shape
from blocks.presets import preset
from blocks.source import InputError
from blocks.spec import NetworkSpec

ABSENT = "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table or the difference; returns the exit code: 0, or 2 where the input is wrong."""
    options = _parser().parse_args(arguments)
    try:
        spec = read_spec(options.spec)
        shape = options.input or (spec.in_channels, spec.stem.usual_size, spec.stem.usual_size)
        assumed = options.input is None
        if options.diff is None:
            text = table(spec, shape, options.spec, assumed=assumed)
        else:
            names = (options.spec, options.diff)
            text = difference(spec, read_spec(options.diff), shape, names, assumed=assumed)
    except (InputError, UnknownPreset, InfeasibleSpec) as error:
        print(f"blocks.show: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


def read_spec(name: str) -> NetworkSpec:
    """Returns a preset, or the network of a YAML file. Raises ``InputError`` or ``UnknownPreset``."""
    is_file = name.endswith((".yaml", ".yml")) or "/" in name or Path(name).is_file()
    return NetworkSpec.from_yaml(name) if is_file else preset(name)


def table(spec: NetworkSpec, shape: Shape, title: str, *, assumed: bool = False) -> str:
    """Returns a line a block, with the totals under them; the share is that of all MACs."""
    rows = spec.cost_by_block(shape)
    total = spec.cost(shape)
    cells = [("name", "kind", "output", "MACs", "parameters", "share")]
    for name, kind, output, cost in rows:
        share = f"{cost.macs / total.macs:.1%}"
        cells.append((name, kind, show_shape(output), f"{cost.macs:,}", f"{cost.params:,}", share))
    cells.append(("total", "", "", f"{total.macs:,}", f"{total.params:,}", "100.0%"))
    return f"{title}, {_input(shape, assumed)}\n\n{_aligned(cells, left=3)}\n\n{_summary(total)}"


def difference(
    one: NetworkSpec, other: NetworkSpec, shape: Shape, names: tuple[str, str], *, assumed: bool = False
) -> str:
    """Returns the fields in which two networks differ, and what that costs."""
    fields = [("field", *names), *differing_fields(one.plain(), other.plain())]
    if len(fields) == 1:
        return f"{names[0]} and {names[1]} are the same network"
    before, after = one.cost(shape), other.cost(shape)
    costs = [("cost", *names, "difference")]
    for name, unit in (("macs", "MACs"), ("params", "parameters"), ("activations", "activations")):
        a, b = getattr(before, name), getattr(after, name)
        costs.append((unit, f"{a:,}", f"{b:,}", f"{b - a:+,} ({(b - a) / a:+.1%})"))
    title = f"{names[0]} -> {names[1]}, {_input(shape, assumed)}"
    return f"{title}\n\n{_aligned(fields, left=3)}\n\n{_aligned(costs, left=1)}"


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


def _input(shape: Shape, assumed: bool) -> str:
    return f"input {show_shape(shape)}" + (", assumed; --input CxHxW sets it" if assumed else "")


def _summary(total: Cost) -> str:
    megabytes = total.params * 4 / 1e6
    return (
        f"{total.macs / 1e6:,.1f} million MACs (a multiply-add is 1), "
        f"{total.activations / 1e6:,.2f} million activations,\n"
        f"{total.params / 1e6:,.2f} million parameters ({megabytes:,.1f} MB in float32)"
    )


def _aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """Returns rows as columns, the first ``left`` of them flush left, under a rule."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _text(value: Any) -> str:
    """Writes one value; a whole mapping that the other side hasn't got, by its kind."""
    if isinstance(value, dict):
        return str(value.get("kind", "(present)"))
    return value if isinstance(value, str) else json.dumps(value)


def _shape(text: str) -> Shape:
    if not re.fullmatch(r"[1-9]\d{0,8}x[1-9]\d{0,8}x[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not channels x height x width, such as 3x224x224")
    channels, height, width = map(int, text.split("x"))
    return channels, height, width


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m blocks.show", description="Prints a network, block by block.")
    parser.add_argument("spec", metavar="SPEC_OR_PRESET", help="a YAML file of a network, or a preset such as resnet50")
    parser.add_argument("--input", type=_shape, metavar="CxHxW", help="an image's shape; default: what the stem is for")
    parser.add_argument("--diff", metavar="OTHER", help="another spec or preset: print what differs, and what it costs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
