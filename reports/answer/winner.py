"""The winner: how good it is, on what it was chosen and judged, and what it costs."""

from __future__ import annotations

from typing import Any

from reports.answer.parts import Winner
from reports.arms import digits
from reports.findings import Findings
from reports.numbers import change, count, moments, percent, percent_interval, points, points_interval, quantity

Row = dict[Any, Any]


def winner(findings: Findings) -> Winner | None:
    """Says what is known of the chosen arm; None where none was chosen yet."""
    chosen = findings.table.winner
    if chosen is None or chosen["arm"] not in findings.confirmed.index:
        return None
    row: Row = findings.confirmed.loc[chosen["arm"]].to_dict()
    said = [_chosen(findings, row), *_tested(findings, row, chosen["seed"]), _costs(findings, row)]
    role = "Winner" if findings.table.main_phase == "explore" else "Trained network"
    return Winner(role, str(row["label"]), tuple(said), f'load_model("{chosen["weights"]}")')


def _chosen(findings: Findings, row: Row) -> str:
    shown = digits(findings.table)
    mean = _accuracy(row["confirm_mean"], row["confirm_low"], row["confirm_high"], shown)
    if findings.table.main_phase == "confirm":
        seeds = count(int(row["confirm_n"]), "seed")
        return f"{mean} on validation over {seeds}."
    seeds = count(int(row["confirm_n"]), "fresh seed")
    said = f"{mean} on validation over {seeds}, by which it was chosen among "
    said += count(len(findings.table.finalists), "finalist")
    said += " and the baseline" if findings.table.baseline not in findings.table.finalists else ""
    if row["gain_effect"] == row["gain_effect"]:
        gain = f"{points(row['gain_effect'])} {points_interval(row['gain_low'], row['gain_high'])}".rstrip()
        said += f"; {gain} against the baseline, paired"
    if row["worth"] == row["worth"]:
        worth = _accuracy(row["worth"], row["worth_low"], row["worth_high"], shown)
        said += f". By both phases together, free of the luck of being chosen, it is worth {worth}"
    return f"{said}."


def _tested(findings: Findings, row: Row, seed: int) -> list[str]:
    if not row["test_n"] > 0:
        return []
    table, shown = findings.table, digits(findings.table, "test")
    mean = _accuracy(row["test_mean"], row["test_low"], row["test_high"], shown)
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
    return [f"{mean} on the sealed test split{when}.{file}"]


def _costs(findings: Findings, row: Row) -> str:
    base = findings.table.entry(findings.table.baseline)["macs"]
    against = f" ({change(row['macs'] / base - 1)} against the baseline)" if row["macs"] != base else ""
    return f"{quantity(row['macs'], 'MACs')}{against}, {quantity(row['params'], 'parameters')}."


def _accuracy(mean: float, low: float, high: float, shown: int) -> str:
    """Returns a mean with its interval; of one seed there is none."""
    return f"{percent(mean, shown)} {percent_interval(low, high, shown)}".rstrip()
