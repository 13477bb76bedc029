"""The laws that every block keeps, to be held against one of your own.

python -m blocks.laws my_block.py                a line a law

    from blocks.laws import check_block
    check_block("my_block")                      # raises LawBroken, which says what is broken and how

A law is a function of a `Subject`: a small network of that block. It returns nothing, or raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from blocks.block import BLOCKS, BlockSpec
from blocks.cost import Shape
from blocks.laws import arithmetic, runtimes, values
from blocks.laws.subject import LawBroken, Subject, subject

__all__ = ["LAWS", "Law", "LawBroken", "Outcome", "Subject", "check_block", "outcomes", "subject"]

SHAPE = (3, 16, 16)
WIDTH = 16


class Law(NamedTuple):
    """A law.

    Attributes:
        name: For tables.
        hold: Raises if a subject breaks it: `LawBroken`, or whatever torch raises.
    """

    name: str
    hold: Callable[[Subject], None]

    @property
    def statement(self) -> str:
        """What it says, as a sentence."""
        return (self.hold.__doc__ or "").strip()


class Outcome(NamedTuple):
    """How a block stands before a law; ``reason`` is empty if it keeps it."""

    name: str
    statement: str
    reason: str = ""


LAWS = (
    Law("shapes", arithmetic.shapes),
    Law("costs", arithmetic.costs),
    Law("memory", arithmetic.memory),
    Law("sums", arithmetic.sums),
    Law("plain data", arithmetic.plain_data),
    Law("gradients", values.gradients),
    Law("seeds", values.seeds),
    Law("independence", values.independence),
    Law("inputs", values.inputs),
    Law("evaluation", values.evaluation),
    Law("weights", values.weights),
    Law("channels last", runtimes.channels_last),
    Law("autocast", runtimes.autocast),
    Law("compilation", runtimes.compilation),
    Law("exporting", runtimes.exporting),
)


def check_block(
    block: BlockSpec | str | dict[str, Any], *, shape: Shape = SHAPE, width: int = WIDTH, laws: Sequence[Law] = LAWS
) -> None:
    """Holds every law against a block.

    Args:
        block: A spec, a registered kind, or a mapping with a ``kind``.
        shape: C H W of the images.
        width: Of the stages.
        laws: Which.

    Raises:
        LawBroken: If it breaks any; the message has a paragraph for each.
        pydantic.ValidationError: If there is no such block, or it has no such fields.
    """
    broken = [outcome for outcome in outcomes(block, shape=shape, width=width, laws=laws) if outcome.reason]
    if broken:
        raise LawBroken(
            "\n".join(f"{outcome.name}: {outcome.statement}\n    But {outcome.reason}" for outcome in broken)
        )


def outcomes(
    block: BlockSpec | str | dict[str, Any], *, shape: Shape = SHAPE, width: int = WIDTH, laws: Sequence[Law] = LAWS
) -> Iterator[Outcome]:
    """Yields how a block stands before each law; the first is that there can be a network of it at all.

    Where there can't, it is the only one. The arguments, and what is raised for a block that there isn't, are those of
    `check_block`.
    """
    first = "There can be a network of it, with strides and changes of width."
    less = "There can be a network of it, though not with strides and changes of width, where"
    try:
        case = subject(BLOCKS.parse(block), shape, width)
    except LawBroken as error:
        yield Outcome("feasible", first, str(error))
        return
    yield Outcome("feasible", f"{less} {case.refusal.rstrip('.')}." if case.refusal else first)
    for law in laws:
        yield Outcome(law.name, law.statement, _reason(law, case))


def _reason(law: Law, case: Subject) -> str:
    try:
        law.hold(case)
    except LawBroken as error:
        return str(error)
    except Exception as error:  # whatever a user's code may raise, or torch on its account
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    return ""
