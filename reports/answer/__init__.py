"""The answer in sentences, made by rule from the statistics, never by hand."""

from __future__ import annotations

from typing import Any

from reports.answer.caveats import caveats
from reports.answer.compared import compared, statements
from reports.answer.parts import Answer, Clause, Statement, Winner
from reports.answer.searched import band, beside_random, front, nothing_within
from reports.answer.winner import winner
from reports.arms import digits
from reports.comparisons import DECLARED
from reports.findings import Findings
from reports.lost import some
from reports.numbers import count, percent, percent_interval, quantity, words
from reports.prospects import prospects
from reports.space_words import spaces_told
from reports.table import Table

__all__ = ["Answer", "Clause", "Statement", "Winner", "answer", "question"]
Row = dict[Any, Any]


def question(table: Table) -> str:
    """Returns the study's question, or one made of its factors."""
    if table.study.get("question"):
        return str(table.study["question"])
    names = some([factor.name for factor in table.factors])
    if not names:
        return "How accurate is this network, and what does it cost?"
    if table.design.kind in DECLARED:
        return f"What does changing {names} do to validation accuracy?"
    return f"Which choice of {names} is the most accurate for its MACs?"


def answer(findings: Findings) -> Answer:
    """Makes the answer of a run, finished or not."""
    said: tuple[Statement, ...] = ()
    if not (findings.arms["n"] > 0).any():
        headline = _nothing(findings)
    elif len(findings.comparisons):
        headline, said = compared(findings), statements(findings)
    elif len(findings.bands):
        headline = f"{spaces_told(findings)} {front(findings)} {beside_random(findings)}".strip()
        said = tuple(nothing_within(row) for row in findings.unmet.to_dict("records"))
        said += tuple(band(findings, row) for row in findings.bands.to_dict("records"))
    else:
        headline = _single(findings)
    return Answer(headline, said, winner(findings), caveats(findings), prospects(findings))


def _nothing(findings: Findings) -> str:
    counts = findings.counts
    ended = [f"{counts.of(status)} {status}" for status in ("failed", "diverged", "stopped") if counts.of(status)]
    if not ended:
        return f"No trial has finished yet, so there is no answer: {count(counts.planned, 'trial')} planned."
    return f"No trial completed, so there is no answer: {words(ended)} of {count(counts.planned, 'trial')}."


def _single(findings: Findings) -> str:
    shown = digits(findings.table)
    row: Row = findings.arms[findings.arms["n"] > 0].iloc[0].to_dict()
    interval = percent_interval(row["low"], row["high"], shown)
    accuracy = f"{percent(row['mean'], shown)} {interval}".strip()
    cost = f"{quantity(row['macs'], 'MACs')} and {quantity(row['params'], 'parameters')}"
    return f"The network reaches {accuracy} on validation over {count(row['n'], 'seed')}, at {cost}."
