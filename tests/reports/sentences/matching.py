"""Finds turns of phrase in a text of the page, and holds their numbers against their sources.

In words, ``#`` is a number and ``@`` a name: what the study, its arms or its files are called by, and their reasons.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.reports.evidence import Run
from tests.reports.reading import NUMBER, Said, rounds

Values = list[Any]
"""For each number of a turn of phrase, in its order, the value; a set where any of several will do."""
CONVENTIONS = re.compile(
    r"95% (?:t |Welch )?intervals?|95% (?:low|high)|95% over images|at 95% \(|0–100%|[Pp]ower of 80%|80% power|"
    r"p < \.05|(?<=at )5%|5% (?=/)|middle 80%|being from 0 to 1|\(Searle, Casella and McCulloch 1992\)|counted from 1"
)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC")
NAME = re.compile(r"«([^»]*)»")


@dataclass(frozen=True)
class Found:
    """Words that were found: the names in them, in turn, and the text that they are a part of."""

    names: list[str]
    said: Said
    words: str


Source = Callable[[Run, Found], Values]


@dataclass(frozen=True)
class Phrase:
    """Words with numbers in them, the section of the page that says them (any, if empty), and their source."""

    section: str
    words: re.Pattern[str]
    source: Source


PHRASES: list[Phrase] = []


def phrase(section: str, *words: str) -> Callable[[Source], Source]:
    """Registers the source of the numbers in some words; what is registered first is looked for first."""

    def register(source: Source) -> Source:
        for each in words:
            pattern = each.replace("#", f"(?:{NUMBER})").replace("@", "«[^»]*»")
            PHRASES.append(Phrase(section, re.compile(pattern), source))
        return source

    return register


def unexplained(run: Run, said: Said) -> list[str]:
    """Returns what is wrong with the numbers of a text: those that differ from their values, and those of no source."""
    wrong = []
    for sentence in re.split(r"(?<=[.?!]) (?=[A-Z«])", _known(run, said.text)):
        rest = CONVENTIONS.sub("", sentence)
        for each in PHRASES:
            if each.section in (said.section, ""):
                rest, odd = _checked(run, said, each, rest)
                wrong += odd
        if re.search(r"\d", NAME.sub("", rest)):
            wrong.append(f"nothing explains the numbers left in {rest!r}")
    return [f"{each} ({said.section}, {said.tag}, {said.subject!r}: {said.text!r})" for each in wrong]


def _checked(run: Run, said: Said, each: Phrase, sentence: str) -> tuple[str, list[str]]:
    """Holds every place where a phrase fits against its source; returns the sentence without these numbers."""
    wrong: list[str] = []

    def look(match: re.Match[str]) -> str:
        found = Found(NAME.findall(match[0]), said, match[0])
        wrong.extend(f"{odd} in {match[0]!r}" for odd in _differing(NAME.sub("«»", match[0]), each.source(run, found)))
        return "".join(part if part.startswith("«") else re.sub(NUMBER, "", part) for part in _parts(match[0]))

    return each.words.sub(look, sentence), wrong


def _parts(text: str) -> list[str]:
    return re.split(r"(«[^»]*»)", text)


def _differing(words: str, values: Values) -> Iterator[str]:
    """Yields the numbers of some words that are not their values; in brackets they have the unit of those before."""
    texts = list(re.finditer(NUMBER, words))
    if len(values) != len(texts):
        yield f"{len(values)} values for {len(texts)} numbers"
    unit = "%" if words.startswith("[") else ""
    for text, value in zip(texts, values, strict=False):
        unit = next((each for each in ("pp", "%") if text[0].endswith(each)), unit)
        before, after = words[: text.start()], words[text.end() :]
        within = before.count("[") > before.count("]") and "]" in after
        any_of = value if isinstance(value, set) else {value}
        if not any(rounds(text[0], each, unit if within else "") for each in any_of):
            yield f"{text[0]} is not {value}"


def _known(run: Run, text: str) -> str:
    """Returns a text with the names in it in guillemets, and without moments that the files tell."""
    told = _moments(run)
    text = MOMENT.sub(lambda found: "" if f"{found[1]}T{found[2]}" in told else found[0], text)
    return _names(run).sub(lambda found: f"«{found[0]}»", text)


@functools.lru_cache(maxsize=2)
def _moments(run: Run) -> set[str]:
    """Returns the moments that the files tell, to the minute."""
    every = [*_strings(run.arms), *_strings(run.record["environment"])]
    return {text[:16] for text in every if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text)}


@functools.lru_cache(maxsize=2)
def _names(run: Run) -> re.Pattern[str]:
    """Returns a pattern of all that things are called by, longest first: numbers in these were not computed."""
    names = {row["change"] for row in run.rows("comparisons")} | {row["label"] for row in run.rows("arms")}
    names |= {entry["label"] for entry in run.arms["arms"]}
    names -= {"baseline"}  # a word of the page, too
    copied = [*_strings(run.arms), *_strings(run.record["environment"]), *_strings(run.study), *run.trials["reason"]]
    copied += _strings(run.record["diagnosis"]["sentences"])
    names |= {text for text in copied if re.search(r"\d", text) and re.search(r"[A-Za-z]|\.\d+\.", text)}
    names |= {*run.entries, *run.trials["precision"], *run.trials["device"]}
    names |= {text[:1].upper() + text[1:] for text in names}
    longest = sorted((re.sub(r"\s+", " ", name).strip() for name in names), key=len, reverse=True)
    return re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?![\w=])" for name in longest if name))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def called(name: str | None, said: Said) -> bool:
    """Whether a text's subject is of this name; a browser makes one space of any."""
    return name is not None and re.sub(r"\s+", " ", name).strip() == said.subject
