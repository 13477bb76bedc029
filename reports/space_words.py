"""What a population says of its spaces, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.comparisons import COST_NAMES
from reports.lost import NAMED, some
from reports.numbers import p_value, percent, points, points_interval
from reports.statistics import SIGNIFICANCE

if TYPE_CHECKING:
    from reports.findings import Findings


def spaces_told(findings: Findings) -> str:
    """Says which space has the lower error, at what weights, and which cannot be told apart; nothing of one space."""
    found = findings.population
    if found is None or found.differences.empty:
        return ""
    cost = COST_NAMES.get(found.cost, found.cost)
    where = "as drawn" if found.unequal else f"at equal {cost}"
    rows = found.differences.to_dict("records")
    told = [row for row in rows if row["p_holm"] < SIGNIFICANCE]
    mean = found.spaces.set_index("space")["mean"]
    strongest = sorted(told, key=lambda row: -abs(row["mean"]))
    said = [_better(row, mean, where) for row in (told if len(told) <= NAMED + 1 else strongest[:NAMED])]
    if len(said) < len(told):
        said.append(f"{len(told) - len(said)} more spaces differ from {rows[0]['against']}.")
    open_still = [row["space"] for row in rows if row not in told]
    if open_still:
        said.append(
            f"{some(open_still)} cannot be told from {rows[0]['against']} {where}{_size(rows) if not told else ''}."
        )
    return " ".join(said)


def _better(row: dict[Any, Any], mean: Any, where: str) -> str:
    better, worse = (row["space"], row["against"]) if row["mean"] < 0 else (row["against"], row["space"])
    effect = f"{points(row['mean'])} {points_interval(row['low'], row['high'])}"
    return (
        f"The space {better} holds the better networks {where}: a mean error of {percent(mean[better], 2)} against "
        f"{percent(mean[worse], 2)} of {worse} ({row['space']} less {row['against']}: {effect}, p {_p(row['p_holm'])})."
    )


def _size(rows: list[dict[Any, Any]]) -> str:
    if len(rows) > 1:
        return ""
    row = rows[0]
    return f" ({points(row['mean'])} {points_interval(row['low'], row['high'])} mean error, p {_p(row['p_holm'])})"


def _p(value: float) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"
