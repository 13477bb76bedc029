"""The command line of ``python -m blocks.show``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from blocks.cost import Shape
from blocks.errors import InfeasibleSpec, UnknownPreset
from blocks.layers import show_shape
from blocks.plugins import load_plugins
from blocks.show.columns import WIDTH, shortened
from blocks.show.given import read_given
from blocks.source import InputError
from blocks.spec import NetworkSpec

BATCH, CHECKED_BATCH = 32, 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what is asked for; returns the exit code: 0, or 2 where the input is wrong."""
    options = _parser().parse_args(arguments)
    try:
        load_plugins(options.plugin)
        text = _shown(options)
    except (InputError, UnknownPreset, InfeasibleSpec) as error:
        sys.stderr.write(f"blocks.show: {error}\n")
        return 2
    sys.stdout.write(f"{text}\n")
    return 0


def _shown(options: argparse.Namespace) -> str:
    """Returns what is to be printed. Raises ``InputError``, ``UnknownPreset`` or ``InfeasibleSpec``."""
    spec, usual, note = read_given(options.spec)
    shape = options.input or usual
    batch_size = options.batch or (CHECKED_BATCH if options.check else BATCH)
    if options.svg:
        return _drawn(options, spec, shape)
    if options.diff:
        from blocks.show.difference import difference

        other = read_given(options.diff)
        note = note or other.note
        text = difference(spec, other.spec, shape, batch_size)
        title = f"{_name(options.spec)} -> {_name(options.diff)}"
    elif options.check:
        from blocks.show.check import check

        title, text = _name(options.spec), check(spec, shape, batch_size)
    else:
        from blocks.show.table import table

        title, text = _name(options.spec), table(spec, shape, batch_size, every=options.all)
    assumed = "" if options.input else ", assumed; --input CxHxW sets it"
    return "\n\n".join([f"{title}, input {show_shape(shape)}{assumed}", *([note] if note else []), text])


def _drawn(options: argparse.Namespace, spec: NetworkSpec, shape: Shape) -> str:
    """Writes the drawing, or returns it for ``-``. Raises ``InputError`` or ``InfeasibleSpec``."""
    from blocks.show.drawing import drawing

    svg = drawing(spec, shape, Path(options.spec).name)
    if options.svg == "-":
        return svg
    try:
        Path(options.svg).write_text(f"{svg}\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{options.svg}: can't be written: {error.strerror}") from None
    return f"{options.spec}, drawn in {options.svg}"


def _name(given: str) -> str:
    """Returns a name that leaves room in its line; of a path, the end says more than the middle."""
    return shortened(given, WIDTH // 3)


def parse_shape(text: str) -> Shape:
    """Reads ``3x224x224``. Raises argparse's error."""
    if not re.fullmatch(r"[1-9]\d{0,8}x[1-9]\d{0,8}x[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not channels x height x width, such as 3x224x224")
    channels, height, width = map(int, text.split("x"))
    return channels, height, width


def parse_count(text: str) -> int:
    """Reads a whole number above 0. Raises argparse's error."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m blocks.show",
        description="Prints a network, block by block: what comes out of each, how much of the image one position of "
        "that reads (the receptive field), and what it costs.",
    )
    parser.add_argument(
        "spec", metavar="SPEC_OR_PRESET", help="a YAML file of a network or a study, or a preset such as resnet50"
    )
    parser.add_argument(
        "--input", type=parse_shape, metavar="CxHxW", help="an image's shape; default: what it is made for"
    )
    batch = f"images a training step; default: {BATCH}, and {CHECKED_BATCH} for --check"
    parser.add_argument("--batch", type=parse_count, metavar="N", help=batch)
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help="a file of your own blocks")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--all", action="store_true", help="list alike blocks one by one, and layers by stage")
    instead.add_argument("--diff", metavar="OTHER", help="another spec or preset: what differs, and what it costs")
    instead.add_argument("--svg", metavar="FILE", help="draw it instead; - is stdout")
    instead.add_argument("--check", action="store_true", help="build it, run one batch, and tell what looks wrong")
    return parser
