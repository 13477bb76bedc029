"""The answer of a study that declared comparisons: how many changes are detected, and what each one did."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.answer.parts import Clause, Statement
from reports.comparisons import BOTH, COST_NAMES, MATCHED, RAW, TUNED, why_no_verdict
from reports.findings import Findings
from reports.numbers import change, could_have_been, count, points, points_interval, words
from reports.statistics import Verdict
from reports.table import Table
from reports.tuning import names, values_of

Row = dict[Any, Any]


def compared(findings: Findings) -> str:
    """Says how many changes were detected, as they are, at equal cost and tuned, and which act together."""
    rows = findings.comparisons
    tested = rows[rows["p"].notna()]
    if tested.empty:
        return _untested(findings)
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


def _untested(findings: Findings) -> str:
    """Says what there is where no difference has an interval."""
    rows, counts = findings.comparisons, findings.counts
    known, waiting = rows[rows["effect"].notna()], counts.not_run + counts.of("running")
    if known.empty and waiting:
        return "No comparison can be made yet: it takes seeds complete in an arm and in the baseline."
    if known.empty:
        return f"No comparison can be made: {_nothing_in_common(findings)}."
    largest: Row = known.loc[[known["effect"].abs().idxmax()]].to_dict("records")[0]
    found = f"The largest difference from the baseline is that of {largest['change']} ({points(largest['effect'])})"
    if known["pairs"].max() > 1:
        return f"The differences from the baseline do not vary over seeds, so there is no verdict. {found}."
    seeds = "One seed" if known["planned"].max() == 1 else f"One pair of seeds{' so far' if waiting else ''}"
    return f"{seeds}: no interval, no verdict. {found}; nothing tells it from noise."


def _nothing_in_common(findings: Findings) -> str:
    """Says why nothing can be compared where everything has ended."""
    table, trials = findings.table, findings.table.trials
    explored = trials[trials["phase"] == "explore"]
    own = explored[explored["arm"] == table.baseline]
    whose, of = (own, "the baseline’s") if not (own["status"] == "completed").any() else (explored, "the")
    ends = whose.loc[whose["status"] != "completed", "status"].value_counts()
    if ends.empty:
        return "no seed is complete in an arm and in what it is held against"
    return f"of {of} {count(len(whose), 'trial')} {words([f'{number:,} {status}' for status, number in ends.items()])}"


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


def statements(findings: Findings) -> tuple[Statement, ...]:
    """Says of every change what it did: effect, interval, verdict, and the same at equal cost."""
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
