"""Every declared comparison: effect, interval, corrected p, cost, and verdict."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.comparisons import BOTH, COST_NAMES, MATCHED, RAW, TUNED, interactions, why_no_verdict
from reports.findings import Findings
from reports.grid import Cell, Column, Glyph, Grid
from reports.numbers import ABSENT, change, could_have_been, count, p_value, points, points_interval, unbroken
from reports.sections import Section
from reports.statistics import Verdict
from reports.table import Table
from reports.tuning import values_of

ID = "ablation"
ORDER = 20
TITLE = "Effects against the baseline"

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section, empty for designs that declare no comparisons."""
    rows = findings.comparisons
    if rows.empty:
        return Section(TITLE)
    if rows["effect"].isna().all():
        declared = f"{count(len(rows), 'comparison')} declared, and none made"
        return Section(TITLE, lead=(f"{declared}: no seed is complete in an arm and in the baseline.",))
    notes = (("How to read this table", _method(findings.table, rows)),)
    return Section(TITLE, grids=(_grid(findings.table, rows),), notes=notes)


def _grid(table: Table, rows: pd.DataFrame) -> Grid:
    matched = bool((rows["at"] != RAW).any() or rows["same"].any())
    cost = COST_NAMES.get(str(table.design.match), "cost")
    gapped = table.design.match not in (None, "macs")  # else the column of MACs shows it
    scale = _scale(rows)
    span = f"Effect and 95% interval, drawn from {points(scale[0])} to {points(scale[1])}; the vertical line is zero"
    columns = (
        Column("Change", numeric=False),
        *((Column("At", numeric=False),) if matched else ()),
        Column("Effect,\u00a0pp"),
        Column("95% interval"),
        Column("", numeric=False, hint=span),
        Column("Verdict", numeric=False),
        Column("p", hint="Two-sided paired t test, uncorrected"),
        Column("p,\u00a0Holm", hint="Corrected for the whole family"),
        Column("MACs", hint="Against the baseline’s; at equal MACs, the gap that is left"),
        *((Column("Gap", hint=f"What is left of the difference in {cost}"),) if gapped else ()),
        Column("Pairs", hint="Seeds complete in both arms"),
    )
    body = [_row(table, row, matched, gapped, f"equal {cost}", scale) for row in rows.to_dict("records")]
    base = table.entry(table.baseline)["label"]
    against = "" if base == "baseline" else f" ({base})"
    note = f"Validation accuracy less the baseline’s{against}, explore phase, in percentage points (pp)."
    if rows["change"].str.endswith(" added to bare").any():
        note += " A part that is added to bare is held against the bare recipe, which has every part off."
    return Grid(TITLE, columns, body, note, copies=True)


def _row(table: Table, row: Row, matched: bool, gapped: bool, equal: str, scale: tuple[float, float]) -> list[Cell]:
    whole = row["pairs"] == row["planned"]
    pairs = ABSENT if row["verdict"] is None else str(row["pairs"]) if whole else f"{row['pairs']} of {row['planned']}"
    cells = [
        Cell(unbroken(row["change"]), style="again" if row["at"] != RAW else "", arm=row["arm"] or ""),
        Cell(points(row["effect"]).removesuffix("\u00a0pp"), row["effect"]),
        Cell(points_interval(row["low"], row["high"]) or ABSENT, row["low"]),
        Cell("", row["effect"], glyph=_glyph(row, scale)),
        _verdict(row),
        Cell(p_value(row["p"]), row["p"]),
        Cell(p_value(row["p_holm"]), row["p_holm"]),
        Cell(change(row["macs"]), row["macs"]),
        Cell(pairs, float(row["pairs"])),
    ]
    if matched:
        cells.insert(1, _at(table, row, equal))
    if gapped:
        cells.insert(-1, Cell(change(row["gap"]), row["gap"]))
    return cells


def _at(table: Table, row: Row, equal: str) -> Cell:
    if row["same"]:
        return Cell("its own cost", note=f"{equal} as it stands", style="whole")
    terms = {RAW: "its own cost", MATCHED: equal, TUNED: "tuned", BOTH: f"{equal}, tuned"}
    values = row["at"] in (TUNED, BOTH) and row["arm"] is not None
    note = f"{values_of(table, row['arm'])} against {values_of(table, row['against'])}" if values else ""
    return Cell(terms[row["at"]], note=note, style="whole")


def _verdict(row: Row) -> Cell:
    order = [*Verdict]
    if row["verdict"] is None:
        return Cell(ABSENT, float(len(order)), note=row["note"])
    verdict = Verdict(row["verdict"])
    could = could_have_been(row["detectable"]) if verdict is Verdict.NOT_DETECTED else ""
    why = why_no_verdict(row) if row["pairs"] or not row["note"] else ""
    note = "; ".join(part for part in (could, why, row["note"]) if part)
    return Cell(verdict, float(order.index(verdict)), note=note, style=f"verdict {verdict.replace(' ', '-')}")


def _scale(rows: pd.DataFrame) -> tuple[float, float]:
    """Returns the ends of the drawings' common scale: all effects, and intervals as far as they do not dwarf them."""
    if rows["effect"].isna().all():
        return -0.01, 0.01
    reach = 2.5 * max(rows["effect"].abs().max(), 1e-3)
    # One pair has an effect and no interval.
    low = max(min(rows["low"].fillna(rows["effect"]).min(), rows["effect"].min(), 0), -reach)
    high = min(max(rows["high"].fillna(rows["effect"]).max(), rows["effect"].max(), 0), reach)
    room = max(0.04 * (high - low), 1e-4)  # all effects may be zero
    return low - room, high + room


def _glyph(row: Row, scale: tuple[float, float]) -> Glyph | None:
    if row["effect"] != row["effect"]:
        return None

    def place(value: float) -> float:
        return round(100 * min(max((value - scale[0]) / (scale[1] - scale[0]), 0), 1), 2)

    low, high = (row["low"], row["high"]) if row["low"] == row["low"] else (row["effect"], row["effect"])
    style = str(row["verdict"]).replace(" ", "-")
    return Glyph(place(0), place(row["effect"]), place(low), place(high), style)


def _method(table: Table, rows: pd.DataFrame) -> str:
    made = rows[rows["verdict"].notna()]
    family = max(table.design.family or 0, len(made.drop_duplicates(["arm", "against"])))
    if table.design.kind == "factorial":
        family = len(rows) + len(interactions(table))
    margin = "it needs a margin, which this study does not state"
    if table.margin is not None:
        room = f"±{points(table.margin)[1:]}, the study’s margin"
        margin = f"both one-sided tests at 5% rule out a difference beyond {room}"
    main = ""
    if table.design.kind == "factorial":
        main = (
            "In a factorial design an effect is a main effect: for each seed, the level less the baseline’s, averaged "
            "over the settings of the other factors that have both; interactions, in the same family, are under “The "
            "factorial model”. "
        )
    return main + (
        "Each arm is compared with the baseline seed by seed: the effect is the mean of the paired differences, the "
        "interval its 95% t interval, p that of the two-sided paired t test. Holm’s correction is over the declared "
        f"family, all comparisons at their own and at equal cost together: {count(int(family), 'comparison')}. "
        "Detected: Holm-corrected p < .05. "
        f"Equivalent: {margin}, each comparison by itself: Holm’s correction is not applied to it. "
        "Suggestive: p < .05 before correction only. "
        "Not detected: none of these; the table then says which true difference would have been detected with 80% "
        "power, taking the observed scatter of the differences as the true one and testing at the strictest level of "
        f"the family, 5% / {int(family):,}, which Holm’s correction asks of the smallest p. "
        "No verdict: one pair has a difference but no interval, and differences that do not vary leave nothing to test "
        "against. "
        "An arm with a failed, diverged, stopped or missing seed uses the pairs complete in both arms, and is never "
        "called detected or equivalent."
    )
