"""``python -m blocks.laws``"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence

from pydantic import ValidationError

from blocks.block import BLOCKS
from blocks.laws import SHAPE, WIDTH, outcomes
from blocks.plugins import load_plugins
from blocks.show.columns import WIDTH as WIDTH_OF_LINES
from blocks.show.command import parse_count, parse_shape
from blocks.source import InputError

BROKEN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line a law; returns the exit code: 0 all are kept, 2 the input is wrong, 3 some are broken."""
    options = _parser().parse_args(arguments)
    try:
        kinds = [kind for name in options.block for kind in _kinds(name)]
        kept = [_held(kind, options) for kind in kinds]
    except InputError as error:
        sys.stderr.write(f"blocks.laws: {error}\n")
        return 2
    return 0 if all(kept) else BROKEN


def _kinds(name: str) -> tuple[str, ...]:
    """Returns the blocks that a file registers, or the kind itself. Raises ``InputError``."""
    if not name.endswith(".py"):
        return (name,)
    (plugin,) = load_plugins([name])
    kinds = plugin.kinds().get("block", ())
    if not kinds:
        raise InputError(f"{name}: registers no block")
    return kinds


def _held(kind: str, options: argparse.Namespace) -> bool:
    """Prints how a block stands before each law; returns whether it keeps all. Raises ``InputError``."""
    try:
        block = BLOCKS.parse(kind)
    except ValidationError as error:
        raise InputError(f"{kind} needs fields to be given, and is judged by its defaults: {error}") from None
    except ValueError as error:
        raise InputError(str(error)) from None
    sys.stdout.write(f"{kind}\n")
    said: dict[str, str] = {}
    for name, statement, reason in outcomes(block, shape=options.input, width=options.width):
        sys.stdout.write(_filled(f"  {'BROKEN' if reason else 'kept':6}  {name:13}  ", statement))
        if reason:
            before = said.setdefault(reason, name)
            sys.stdout.write(
                _filled(" " * 10, f"But {reason}" if before == name else f"But it fails as '{before}' does.")
            )
        sys.stdout.flush()  # compiling takes its time
    if "feasible" in said.values():
        sys.stdout.write(_filled("  ", "The other laws are about such a network, and are passed over."))
    return not said


def _filled(start: str, words: str) -> str:
    """Returns lines of a terminal's width, the first with its start, the others below the words."""
    filled = textwrap.fill(words, WIDTH_OF_LINES, initial_indent=start, subsequent_indent=" " * len(start))
    return f"{filled}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m blocks.laws",
        description="Holds the laws that every block keeps against your own, in a small network of it.",
        epilog="Exit codes: 0 all laws are kept; 2 the input is wrong; 3 some are broken.",
    )
    parser.add_argument(
        "block", nargs="+", metavar="FILE_OR_KIND", help="a file that registers blocks, or a known kind"
    )
    parser.add_argument("--input", type=parse_shape, default=SHAPE, metavar="CxHxW", help="an image; default: 3x16x16")
    parser.add_argument(
        "--width", type=parse_count, default=WIDTH, metavar="N", help=f"of the stages; default: {WIDTH}"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
