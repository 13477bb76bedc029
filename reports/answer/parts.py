"""What an answer is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clause:
    """A sentence: its words, the verdict they lead to, and what is said in brackets after it."""

    text: str
    verdict: str = ""
    aside: str = ""

    def __str__(self) -> str:
        said = f"{self.text}: {self.verdict}" if self.verdict else self.text
        return f"{said} ({self.aside})." if self.aside else f"{said}."


@dataclass(frozen=True)
class Statement:
    """What was found about one subject."""

    subject: str
    clauses: tuple[Clause, ...]

    def __str__(self) -> str:
        return f"{self.subject}: {' '.join(map(str, self.clauses))}"


@dataclass(frozen=True)
class Winner:
    """The chosen arm, what is known of it, and how to load it; ``role`` says whether there was a choice."""

    role: str
    label: str
    sentences: tuple[str, ...]
    load: str


@dataclass(frozen=True)
class Answer:
    """The first screen: the answer in a sentence or two, the findings behind it, the winner, and what to beware of.

    ``prospects`` says what would change the answer, and what that would cost.
    """

    headline: str
    statements: tuple[Statement, ...]
    winner: Winner | None
    caveats: tuple[str, ...]
    prospects: tuple[str, ...] = ()
