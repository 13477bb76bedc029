"""The answer in sentences, made by rule from the statistics, never by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.arms import digits
from reports.comparisons import BOTH, COST_NAMES, DECLARED, MATCHED, RAW, TUNED, why_no_verdict
from reports.findings import Findings
from reports.frontier import noise
from reports.numbers import (
    change,
    could_have_been,
    count,
    moment,
    moments,
    percent,
    percent_interval,
    points,
    points_interval,
    quantity,
    round_quantity,
    words,
)
from reports.prospects import prospects
from reports.space_words import spaces_told
from reports.statistics import Verdict
from reports.table import Table
from reports.tuning import names, values_of

Row = dict[Any, Any]


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


def question(table: Table) -> str:
    """Returns the study's question, or one made of its factors."""
    if table.study.get("question"):
        return str(table.study["question"])
    names = [factor.name for factor in table.factors]
    if not names:
        return "How accurate is this network, and what does it cost?"
    if table.design.kind in DECLARED:
        return f"What does changing {words(names)} do to validation accuracy?"
    return f"Which choice of {words(names)} is the most accurate for its MACs?"


def answer(findings: Findings) -> Answer:
    """Makes the answer of a run, finished or not."""
    statements: tuple[Statement, ...] = ()
    if not (findings.arms["n"] > 0).any():
        headline = _nothing(findings)
    elif len(findings.comparisons):
        headline, statements = _compared(findings), _statements(findings)
    elif len(findings.bands):
        headline = (
            _front(findings) if findings.population is None else f"{spaces_told(findings)} {_front(findings)}".strip()
        )
        statements = tuple(_band(findings, row) for row in findings.bands.to_dict("records"))
    else:
        headline = _single(findings)
    return Answer(headline, statements, _winner(findings), _caveats(findings), prospects(findings))


def _nothing(findings: Findings) -> str:
    counts = findings.counts
    ended = [f"{counts.of(status)} {status}" for status in ("failed", "diverged", "stopped") if counts.of(status)]
    if not ended:
        return f"No trial has finished yet, so there is no answer: {count(counts.planned, 'trial')} planned."
    return f"No trial completed, so there is no answer: {words(ended)} of {count(counts.planned, 'trial')}."


def _compared(findings: Findings) -> str:
    rows = findings.comparisons
    tested = rows[rows["p"].notna()]
    if tested.empty:
        return _untested(rows)
    raw, matched = tested[tested["at"] == RAW], tested[tested["at"] == MATCHED]
    tuned = tested[tested["at"].isin([TUNED, BOTH])]
    declared = int((rows["at"] == RAW).sum())
    of = f"of {count(len(raw), 'change')}" + ("" if declared == len(raw) else f" compared ({declared} declared)")
    said = [f"{_number(raw).capitalize()} {of} moved validation accuracy detectably{_which(raw)}"] if len(raw) else []
    cost = COST_NAMES.get(str(findings.table.design.match), "cost")
    said += [f"At equal {cost}, {_number(matched)} of {len(matched)} did{_which(matched)}"] if len(matched) else []
    own = f"With each arm’s own {words(names(findings.table))}"
    said += [f"{own}, {_number(tuned)} of {len(tuned)} did{_which(tuned)}"] if len(tuned) else []
    return " ".join([*(sentence.rstrip(".") + "." for sentence in said), *_interacting(findings.interactions)])


def _interacting(steps: pd.DataFrame) -> list[str]:
    """Says of a factorial which factors act together: those of whose interaction some step was detected."""
    if steps.empty or not steps["p"].notna().any():
        return []
    tested = steps[steps["p"].notna()]
    together = {term: words([part.strip("()") for part in str(term).split(":")]) for term in tested["term"].unique()}
    found = tested[tested["verdict"] == Verdict.DETECTED]
    if found.empty:
        one = f"No interaction of {next(iter(together.values()))}" if len(together) == 1 else ""
        return [f"{one or f'None of {len(together)} interactions'} was detected."]
    found = found.reindex(found["effect"].abs().sort_values(ascending=False, kind="stable").index)
    strongest = found.drop_duplicates("term").to_dict("records")
    named = [f"{together[row['term']]} ({points(row['effect'])})" for row in strongest]
    most = named if len(named) <= 4 else [*named[:3], f"{len(named) - 3} more"]
    return [f"What one factor gives hangs on another: {'; '.join(most)}."]


def _untested(rows: pd.DataFrame) -> str:
    """Says what there is where no difference has an interval."""
    known = rows[rows["effect"].notna()]
    if known.empty:
        return "No comparison can be made yet: it takes seeds complete in an arm and in the baseline."
    largest: Row = known.loc[[known["effect"].abs().idxmax()]].to_dict("records")[0]
    found = f"The largest difference from the baseline is that of {largest['change']} ({points(largest['effect'])})"
    if known["pairs"].max() > 1:
        return f"The differences from the baseline do not vary over seeds, so there is no verdict. {found}."
    seeds = "One seed" if known["planned"].max() == 1 else "One pair of seeds so far"
    return f"{seeds}: no interval, no verdict. {found}; nothing tells it from noise."


def _number(rows: pd.DataFrame) -> str:
    found = int((rows["verdict"] == Verdict.DETECTED).sum())
    return str(found) if found or len(rows) == 1 else "none"


def _which(rows: pd.DataFrame) -> str:
    """Names the detected changes, the largest first, and counts the suggestive and the equivalent ones."""
    found = rows[rows["verdict"] == Verdict.DETECTED]
    found = found.reindex(found["effect"].abs().sort_values(ascending=False, kind="stable").index)
    named = [f"{row['change']} ({points(row['effect'])})" for row in found.to_dict("records")]
    most = named if len(named) <= 4 else [*named[:3], f"{len(named) - 3} more"]
    others = []
    for verdict, meaning in ((Verdict.SUGGESTIVE, "suggestive"), (Verdict.EQUIVALENT, "equivalent to the baseline")):
        others += _how_many(int((rows["verdict"] == verdict).sum()), meaning)
    return (f": {words(most)}" if most else "") + (f"; {words(others)}." if others else ".")


def _how_many(number: int, meaning: str) -> list[str]:
    return [f"{number} {'is' if number == 1 else 'are'} {meaning}"] if number else []


def _statements(findings: Findings) -> tuple[Statement, ...]:
    groups = findings.comparisons.groupby("change", sort=False)
    return tuple(
        Statement(
            str(subject), tuple(clause for row in rows.to_dict("records") for clause in _said(findings.table, row))
        )
        for subject, rows in groups
    )


def _said(table: Table, row: Row) -> list[Clause]:
    cost = COST_NAMES.get(str(table.design.match), "cost")
    already = [Clause(f"That is at equal {cost} already (gap {change(row['gap'])})")] if row["same"] else []
    kept = [Clause(f"Tuning its {words(names(table))} changed nothing")] if row["kept"] else []
    return [_clause(table, row), *already, *kept]


def _clause(table: Table, row: Row) -> Clause:
    matched, note = row["at"] in (MATCHED, BOTH), row["note"]
    opening = _opening(table, row)
    if row["verdict"] is None:
        return Clause(f"{opening}: {note}" if opening else note[:1].upper() + note[1:])
    if row["pairs"] == 0:
        return Clause(opening or "At its own cost", row["verdict"], note or why_no_verdict(row))
    effect = f"{points(row['effect'])} {points_interval(row['low'], row['high'])}".strip()
    whole = row["pairs"] == row["planned"]
    own = count(row["pairs"], "paired seed") if row["planned"] > 1 else "one seed"
    seeds = own if whole else f"{row['pairs']} of {row['planned']} paired seeds"
    seeds += "" if not note else f", {note}" if whole else f" ({note})"
    if matched:
        return Clause(f"{opening} (gap {change(row['gap'])}): {effect}, {seeds}", row["verdict"], _aside(table, row))
    if opening:
        return Clause(f"{opening}: {effect}, {seeds}", row["verdict"], _aside(table, row))
    macs = "the same" if abs(row["macs"]) < 0.0005 else change(row["macs"])
    return Clause(f"{effect} at {macs} MACs, {seeds}", row["verdict"], _aside(table, row))


def _opening(table: Table, row: Row) -> str:
    """Says on what terms the arms meet; nothing where each is as the study has it."""
    said = []
    if row["at"] in (MATCHED, BOTH):
        said.append(f"at equal {COST_NAMES.get(str(table.design.match), 'cost')}")
    if row["at"] in (TUNED, BOTH):
        tuned = f"each with its own {words(names(table))}"
        if row["arm"] is not None:
            base = table.baseline in (row["against"], table.arms.at[row["against"], "tuned_of"])
            whose = "the baseline’s" if base else "the bare recipe’s"
            tuned += f" ({values_of(table, row['arm'])}; {whose} {values_of(table, row['against'])})"
        said.append(tuned)
    return ", ".join(said)[:1].upper() + ", ".join(said)[1:]


def _aside(table: Table, row: Row) -> str:
    if row["verdict"] == Verdict.NOT_DETECTED:
        return could_have_been(row["detectable"])
    if row["verdict"] == Verdict.EQUIVALENT and table.margin is not None:
        return f"within ±{points(table.margin)[1:]}"
    return why_no_verdict(row)


def _front(findings: Findings) -> str:
    arms, shown = findings.arms, digits(findings.table)
    measured = arms.dropna(subset=["mean", "macs"])
    front = measured[measured["front"]].sort_values("macs").to_dict("records")
    ends = [f"{percent(row['mean'], shown)} at {quantity(row['macs'], 'MACs')}" for row in (front[0], front[-1])]
    way = f"from {ends[0]} to {ends[1]}" if len(front) > 1 else ends[0]
    make = "makes" if len(front) == 1 else "make"
    said = f"{count(len(front), 'arm')} of {len(measured):,} measured {make} the Pareto front: {way}."
    if findings.table.baseline not in measured.index:
        return said
    base: Row = measured.loc[findings.table.baseline].to_dict()
    place, outside = "is on it" if base["front"] else "is not on it", _outside(findings.table)
    return f"{said} The baseline, {percent(base['mean'], shown)} at {quantity(base['macs'], 'MACs')}, {place}{outside}."


def _outside(table: Table) -> str:
    """Says that a baseline outside the study's own constraints is no answer to it."""
    reason = str(table.entry(table.baseline)["reason"] or "")
    return f"; it is {reason}" if reason.startswith("outside the constraints") else ""


def _band(findings: Findings, row: Row) -> Statement:
    subject = "At any cost" if row["limit"] == float("inf") else f"Up to {round_quantity(row['limit'], 'MACs')}"
    accuracy = percent(row["mean"], digits(findings.table))
    best = f"{row['label']}, {accuracy} at {quantity(row['macs'], 'MACs')}"
    if row["arm"] == findings.table.baseline:
        best += _outside(findings.table).replace("; it is", ",") or ", the baseline itself"
    elif row["gain"] == row["gain"]:
        best += f", {points(row['gain'])} against the baseline"
    if not row["rivals"]:
        return Statement(subject, (Clause(best),))
    labels = findings.arms["label"]
    cheapest = f"{labels[row['rival']]} at {quantity(findings.arms['macs'][row['rival']], 'MACs')}"
    told = f"{labels[row['next']]} cannot be told from it"
    if row["rivals"] > 1:
        others = "" if row["rival"] == row["next"] else f"; the cheapest is {cheapest}"
        told = f"{count(row['rivals'], 'arm')} cannot be told from it: the best is {labels[row['next']]}{others}"
    return Statement(subject, (Clause(best), Clause(told)))


def _single(findings: Findings) -> str:
    shown = digits(findings.table)
    row: Row = findings.arms[findings.arms["n"] > 0].iloc[0].to_dict()
    interval = percent_interval(row["low"], row["high"], shown)
    accuracy = f"{percent(row['mean'], shown)} {interval}".strip()
    cost = f"{quantity(row['macs'], 'MACs')} and {quantity(row['params'], 'parameters')}"
    return f"The network reaches {accuracy} on validation over {count(row['n'], 'seed')}, at {cost}."


def _winner(findings: Findings) -> Winner | None:
    chosen = findings.table.winner
    if chosen is None or chosen["arm"] not in findings.confirmed.index:
        return None
    row: Row = findings.confirmed.loc[chosen["arm"]].to_dict()
    said = [_chosen(findings, row), *_tested(findings, row, chosen["seed"]), _costs(findings, row)]
    role = "Winner" if findings.table.main_phase == "explore" else "Trained network"
    return Winner(role, str(row["label"]), tuple(said), f'load_model("{chosen["weights"]}")')


def _chosen(findings: Findings, row: Row) -> str:
    shown = digits(findings.table)
    interval = percent_interval(row["confirm_low"], row["confirm_high"], shown)
    if findings.table.main_phase == "confirm":
        seeds = count(int(row["confirm_n"]), "seed")
        return f"{percent(row['confirm_mean'], shown)} {interval} on validation over {seeds}."
    seeds = count(int(row["confirm_n"]), "fresh seed")
    said = f"{percent(row['confirm_mean'], shown)} {interval} on validation over {seeds}, by which it was chosen among "
    said += count(len(findings.table.finalists), "finalist")
    said += " and the baseline" if findings.table.baseline not in findings.table.finalists else ""
    if row["gain_effect"] == row["gain_effect"]:
        gain = f"{points(row['gain_effect'])} {points_interval(row['gain_low'], row['gain_high'])}"
        said += f"; {gain} against the baseline, paired"
    if row["worth"] == row["worth"]:
        worth = f"{percent(row['worth'], shown)} {percent_interval(row['worth_low'], row['worth_high'], shown)}"
        said += f". By both phases together, free of the luck of being chosen, it is worth {worth}"
    return f"{said}."


def _tested(findings: Findings, row: Row, seed: int) -> list[str]:
    if not row["test_n"] > 0:
        return []
    table, shown = findings.table, digits(findings.table, "test")
    interval = percent_interval(row["test_low"], row["test_high"], shown)
    often = "once" if len(table.test_openings) == 1 else f"{len(table.test_openings)} times,"
    when = f", opened {often} on {moments(table.test_openings)}" if table.test_openings else ""
    trials = table.phase("confirm")
    trials = trials[trials["arm"] == table.winner["arm"]]  # type: ignore[index]
    own = trials.loc[trials["seed"] == seed, "test_accuracy"]
    best = trials.loc[trials["val_accuracy"] == trials["val_accuracy"].max(), "seed"]
    tie = f", the lowest of {len(best)} that tie on validation" if len(best) > 1 and seed == best.min() else ""
    file = ""
    if len(own):
        file = f" The file holds seed {seed}{tie}, which has {percent(float(own.iloc[0]), shown)} there."
    return [f"{percent(row['test_mean'], shown)} {interval} on the sealed test split{when}.{file}"]


def _costs(findings: Findings, row: Row) -> str:
    base = findings.table.entry(findings.table.baseline)["macs"]
    against = f" ({change(row['macs'] / base - 1)} against the baseline)" if row["macs"] != base else ""
    return f"{quantity(row['macs'], 'MACs')}{against}, {quantity(row['params'], 'parameters')}."


def _caveats(findings: Findings) -> tuple[str, ...]:
    counts, said = findings.counts, []
    waiting = counts.not_run + counts.of("running")
    if waiting:
        ended = f"{counts.planned - waiting:,} of {count(counts.planned, 'planned trial')} have ended"
        said.append(
            f"Unfinished: {ended}. Every number may still change, and nothing counts as detected before its seeds "
            "are complete."
        )
    running = findings.table.environment.get("running")
    if running:
        said.insert(
            0, f"Written on {moment(str(running))}, while the study was running: load the page again for a newer one."
        )
    if not counts.adds_up:
        said.append("The record does not add up to what was planned; see “How far to trust it”.")
    mishaps = [f"{counts.of(status):,} {status}" for status in ("failed", "diverged") if counts.of(status)]
    if mishaps:
        said.append(f"Trials without a result: {words(mishaps)}; the reasons are under “How far to trust it”.")
    said += [
        f"Added after results had been seen: {each['what']} ({moment(each['time'])})."
        for each in findings.table.additions
    ]
    checked = findings.fidelity
    if checked is not None and not checked.agreement.trusted:
        short, full = checked.epochs
        reason = checked.agreement.reason
        said.append(f"The ranking after {short} epochs cannot be trusted to be that after {full}: {reason}.")
    if len(findings.bands):
        said.append(_search_caveat(findings))
    warnings = findings.table.environment["warnings"]
    if warnings:
        said.append(f"The run left {count(len(warnings), 'warning')}; see “How far to trust it”.")
    return tuple(said)


def _search_caveat(findings: Findings) -> str:
    scatter = noise(findings.table, findings.arms.dropna(subset=["mean"]))
    scale = points(scatter.sd)[1:]
    if scatter.source == "seeds":
        said = f"One trial scatters by {scale} over seeds (SD on {scatter.freedom:.0f} degrees of freedom)."
    else:
        said = (
            f"No arm has two seeds, so seed noise is unknown; the validation split’s size alone makes an SD of {scale}."
        )
    if findings.confirmed.empty:
        return f"{said} The best of many arms looks better than it is, and none was run again on fresh seeds."
    lost = findings.shrinkage[findings.shrinkage.index.isna()] if len(findings.shrinkage) else findings.shrinkage
    if len(lost) and lost["shrinkage"].notna().all():
        row = lost.iloc[0]
        change_seen = f"{points(-row['shrinkage'])} {points_interval(-row['high'], -row['low'])}".strip()
        return f"{said} On fresh seeds the finalists’ mean gain over the baseline moved by {change_seen}."
    return f"{said} The best of many arms looks better than it is; its confirm phase says how good it is."
