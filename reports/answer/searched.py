"""The answer of a search or a population: the Pareto front, the best arm under each limit, and how far to trust it."""

from __future__ import annotations

from typing import Any

from reports import costs
from reports.against_random import against_random, at_equal_macs
from reports.answer.parts import Clause, Statement
from reports.arms import digits
from reports.findings import Findings
from reports.frontier import noise
from reports.numbers import count, percent, percent_interval, points, points_interval, quantity
from reports.table import Table

Row = dict[Any, Any]


def front(findings: Findings) -> str:
    """Says what the Pareto front reaches, and where the baseline stands."""
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


def beside_random(findings: Findings) -> str:
    """Says how much random search found for as many MACs, and whether its best arm is the better; nothing without."""
    frame = against_random(findings.table)
    ends = None if frame.empty else at_equal_macs(frame)
    if ends is None or not ends.volume > 0:
        return ""
    gain = ends.other / ends.volume - 1
    more, than = f"{percent(abs(gain), 1)} {'less' if gain < 0 else 'more'}", "than"
    if abs(gain) < 0.0005:
        more, than = "as much", "as"
    said = f"Random search that trained as many MACs found {more} hypervolume"
    if not ends.whole:
        trained = percent(ends.trained, 0)
        said = f"Random search has trained {trained} of the search’s MACs so far, and found {more} hypervolume {than}"
        said += " the search had by then"
    if not ends.rival > ends.best:
        return f"{said}."
    shown = digits(findings.table)
    return f"{said}; its best arm reached {percent(ends.rival, shown)}, the search’s {percent(ends.best, shown)}."


def band(findings: Findings, row: Row) -> Statement:
    """Says which arm is the best within a limit of cost, and which cannot be told from it."""
    cost: str = row["cost"]
    subject = "At any cost" if row["limit"] == float("inf") else f"Up to {costs.limit(row['limit'], cost)}"
    accuracy = percent(row["mean"], digits(findings.table))
    best = f"{row['label']} reaches {accuracy} at {costs.amount(row['has'], cost)}"
    if row["arm"] == findings.table.baseline:
        best += _outside(findings.table).replace("; it is", ",") or ", the baseline itself"
    elif row["gain"] == row["gain"]:
        best += f", {points(row['gain'])} against the baseline"
    again = _again(findings, row["arm"])
    if not row["rivals"]:
        return Statement(subject, (Clause(best), *again))
    labels = findings.arms["label"]
    cheapest = f"{labels[row['rival']]} at {costs.amount(findings.arms[cost][row['rival']], cost)}"
    told = f"{labels[row['next']]} cannot be told from it"
    if row["rivals"] > 1:
        others = "" if row["rival"] == row["next"] else f"; the cheapest is {cheapest}"
        told = f"{count(row['rivals'], 'arm')} cannot be told from it: the best is {labels[row['next']]}{others}"
    return Statement(subject, (Clause(best), *again, Clause(told)))


def nothing_within(row: Row) -> Statement:
    """Says that no arm meets a limit that the study names, and how near one came."""
    least = costs.amount(row["least"], row["cost"])
    subject = f"Up to {costs.limit(row['limit'], row['cost'])}"
    return Statement(subject, (Clause(f"no arm; the smallest that was measured has {least}"),))


def _again(findings: Findings, arm: str) -> tuple[Clause, ...]:
    """Says what an arm reached in the confirm phase, if it was there."""
    if arm not in findings.confirmed.index:
        return ()
    row: Row = findings.confirmed.loc[arm].to_dict()
    shown = digits(findings.table)
    interval = percent_interval(row["confirm_low"], row["confirm_high"], shown)
    reached = f"{percent(row['confirm_mean'], shown)} {interval}".strip()
    return (Clause(f"On {count(int(row['confirm_n']), 'fresh seed')} it reached {reached}"),)


def search_caveat(findings: Findings) -> str:
    """Says how far single trials scatter, and what became of the best ones on fresh seeds."""
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
